package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom/cluster"
)

func explainCmd(env *Env) *cobra.Command {
	var opt output
	cmd := &cobra.Command{
		Use:   "explain [KIND.]FIELD",
		Short: "Say what a field of a document does",
		Long: `Say what a field of a document does: its type, which values it takes, what holds
where it is not set, how its list merges, and the fields below it.

KIND is cluster, instancegroup (ig), keyset or sshcredential. Without one, the
field is looked for in cluster, then in instancegroup.`,
		Example: "  stateroom explain cluster\n  stateroom explain cluster.spec.kubeAPIServer.maxRequestsInflight\n  stateroom explain ig.spec.role\n  stateroom explain spec.etcdClusters.etcdMembers",
		Args:    atMost(1),

		ValidArgsFunction: explainable,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExplain(env, opt, first(args))
		},
	}
	opt.flag(cmd.Flags(), "text", asJSON, asYAML)
	return cmd
}

func runExplain(env *Env, opt output, path string) error {
	if path == "" {
		return usagef("stateroom explain cluster", "explain what? there is: cluster, instancegroup, keyset, sshcredential, and the fields below them")
	}
	v, err := explained(path)
	if err != nil {
		return err
	}
	if asked, err := opt.forPrograms(env.Stdout, v); asked {
		return err
	}
	return v.text(env.Stdout, env.width())
}

// kindWords are the kinds as they are typed before a path.
var kindWords = map[string]string{
	"cluster": cluster.KindCluster, "instancegroup": cluster.KindInstanceGroup, "ig": cluster.KindInstanceGroup,
	"keyset": cluster.KindKeyset, "sshcredential": cluster.KindSSHCredential,
}

// splitKind parts the kind from a path; none is "".
func splitKind(path string) (kind, rest string) {
	word, rest, _ := strings.Cut(path, ".")
	if kind, ok := kindWords[strings.ToLower(strings.TrimSuffix(word, "s"))]; ok {
		return kind, rest
	}
	return "", path
}

// fieldView is a field as people and programs read it.
type fieldView struct {
	Kind      string      `json:"kind"`
	Version   string      `json:"apiVersion"`
	Field     string      `json:"field"`
	Type      string      `json:"type"`
	Doc       string      `json:"description"`
	Default   string      `json:"default,omitempty"`
	Values    []string    `json:"values,omitempty"`
	Format    string      `json:"format,omitempty"`
	List      string      `json:"list,omitempty"`
	Keys      []string    `json:"listKeys,omitempty"`
	Since     string      `json:"since,omitempty"`
	Required  bool        `json:"required,omitempty"`
	Immutable bool        `json:"immutable,omitempty"`
	Fields    []belowView `json:"fields,omitempty"`

	set string // how a --set of it begins; "" where it cannot be set
}

type belowView struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"description"`
}

func explained(path string) (*fieldView, error) {
	kind, rest := splitKind(path)
	kinds := []string{kind}
	if kind == "" {
		kinds = []string{cluster.KindCluster, cluster.KindInstanceGroup}
	}
	for _, kind := range kinds {
		if f, ok := cluster.Explain(kind, rest); ok {
			return viewField(kind, f), nil
		}
	}
	return nil, unknownField(kinds, rest)
}

// unknownField says what was perhaps meant.
func unknownField(kinds []string, path string) error {
	hint := "stateroom explain cluster lists its fields"
	for _, kind := range kinds {
		if near := cluster.Nearest(kind, cluster.WithoutElements(path)); near != "" {
			hint = fmt.Sprintf("did you mean %s.%s?", strings.ToLower(kind), cluster.WithoutElements(near))
			break
		}
	}
	return usagef(hint, "%s has no field %q", strings.Join(kinds, " or "), path)
}

func viewField(kind string, f cluster.Field) *fieldView {
	v := &fieldView{
		Kind: kind, Version: cluster.APIVersion, Field: f.Path, Type: f.String(), Doc: f.Doc, Default: f.Default, Values: f.Enum,
		Format: f.Format.Words(), List: f.List, Keys: f.Keys, Since: f.Since, Required: f.Required, Immutable: f.Immutable,
	}
	for _, c := range f.Fields() {
		v.Fields = append(v.Fields, belowView{c.Name(), c.String(), c.Doc})
	}
	command := map[string]string{cluster.KindCluster: "cluster", cluster.KindInstanceGroup: "instancegroup NAME"}[kind]
	if command != "" && len(v.Fields) == 0 && strings.HasPrefix(f.Path, "spec.") {
		path := strings.ReplaceAll(strings.ReplaceAll(f.Path, "[]", "[N]"), "{}", "[KEY]")
		v.set = fmt.Sprintf("stateroom edit %s --set %s%s", command, path, map[cluster.Type]string{cluster.List: "+=VALUE", cluster.Map: ".KEY=VALUE"}[f.Type])
		if f.Elem == nil {
			v.set += "=VALUE"
		}
	}
	return v
}

func (v *fieldView) text(w io.Writer, width int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "KIND:     %s\nVERSION:  %s\n", v.Kind, v.Version)
	if v.Field != "" {
		fmt.Fprintf(&b, "FIELD:    %s <%s>\n", v.Field, v.Type)
	}
	fmt.Fprintf(&b, "\n%s\n", wrapped(v.Doc, width, "  "))
	if len(v.facts()) > 0 {
		b.WriteString("\n")
	}
	for _, line := range v.facts() {
		fmt.Fprintf(&b, "%-10s%s\n", line[0]+":", line[1])
	}
	if len(v.Fields) > 0 {
		b.WriteString("\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	t := &table{header: []string{"NAME", "TYPE", "WHAT"}}
	for _, f := range v.Fields {
		t.add(f.Name, "<"+f.Type+">", firstSentence(f.Doc))
	}
	if len(t.rows) == 0 {
		return nil
	}
	return t.write(w, width)
}

// facts are what is known beside the documentation, word and text.
func (v *fieldView) facts() [][2]string {
	var all [][2]string
	add := func(word, text string) {
		if text != "" {
			all = append(all, [2]string{word, text})
		}
	}
	add("DEFAULT", v.Default)
	add("VALUES", strings.Join(v.Values, ", "))
	add("FORM", v.Format)
	switch v.List {
	case "map":
		add("LIST", "items are told apart by "+strings.Join(v.Keys, " and "))
	case "set":
		add("LIST", "a set: order means nothing")
	case "atomic":
		add("LIST", "one value: it changes as a whole")
	}
	if v.Since != "" {
		add("SINCE", "kops "+v.Since)
	}
	if v.Required {
		add("NEEDED", "kops refuses what has not got it")
	}
	if v.Immutable {
		add("FIXED", "it cannot change once the cluster is there")
	}
	add("SET", v.set)
	return all
}

// firstSentence is the beginning of a text, up to its first full stop.
func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}

// wrapped breaks a text into lines of a width, each with the indent.
func wrapped(text string, width int, indent string) string {
	if width == 0 { // no screen
		width = 80
	}
	width = min(max(width, 40), 100)
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == indent:
			line += word
		case len(line)+1+len(word) > width:
			b.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	return b.String() + line
}
