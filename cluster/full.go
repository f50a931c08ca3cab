package cluster

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/stateroom/stateroom/doc"
)

// Origin says where the value of a field is from.
type Origin string

// The origins of values.
const (
	OriginSet       Origin = "set"       // the document says it
	OriginKops      Origin = "kops"      // kops' default
	OriginStateroom Origin = "stateroom" // what Stateroom runs hosts with
)

// Setting is a field of a document with its value, or with what holds since it
// has none.
type Setting struct {
	Path    []string // in the document, as Document.Get takes it
	Field   Field
	Origin  Origin
	Value   any    // plain Go values, nil where Known is not set
	Known   bool   // there is one value; else the default depends on other things
	Default string // what holds where the field is absent, in words; "": that is not known
}

// Full are the fields of config that are set, and those that are not and whose
// default is known: of the spec itself and of all objects that the document has.
// What lies below objects that it does not have is left out.
func (c *Cluster) Full() []Setting {
	w := fullWalk{kind: KindCluster, document: c.Document, runs: c.runs()}
	w.object(tableOf(w.kind, w.document), nil)
	return w.all
}

// Full is as that of Cluster.
func (g *Group) Full() []Setting {
	w := fullWalk{kind: KindInstanceGroup, document: g.Document}
	w.object(tableOf(w.kind, w.document), nil)
	return w.all
}

// runs is what hosts run with where the document is silent, by the paths of
// v1alpha2; nothing for other clusters, and for documents that cannot be run.
func (c *Cluster) runs() map[string]string {
	e, err := c.Effective()
	if err != nil || !c.OnHosts() {
		return nil
	}
	runs := map[string]string{
		"spec.kubernetesVersion":     e.KubernetesVersion.String(),
		"spec.nonMasqueradeCIDR":     e.NonMasqueradeCIDR.String(),
		"spec.serviceClusterIPRange": e.ServiceClusterIPRange.String(),
		"spec.clusterDNSDomain":      e.ClusterDNSDomain,
		"spec.masterInternalName":    e.InternalName,
		"spec.kubeDNS.domain":        e.ClusterDNSDomain,
		"spec.kubeDNS.serverIP":      e.DNSServerIP.String(),
	}
	if e.PodCIDR != (netip.Prefix{}) {
		runs["spec.podCIDR"] = e.PodCIDR.String()
	}
	return runs
}

// fullWalk gathers settings, in the order of the table.
type fullWalk struct {
	kind     string
	document *doc.Document
	runs     map[string]string
	all      []Setting
}

func (w *fullWalk) object(f *Field, path []string) {
	for _, c := range f.Fields() {
		at := append(slices.Clone(path), c.name)
		if value, ok := w.document.Get(at...); ok {
			w.set(c, at, value)
		} else {
			w.absent(c, at)
		}
	}
}

// set looks at a value that is there, and at what lies in it.
func (w *fullWalk) set(f *Field, path []string, value any) {
	entries, isMap := value.(map[string]any)
	items, isList := value.([]any)
	switch {
	case f.Type == Object && isMap:
		w.object(f, path)
	case f.Type == Map && f.Elem.Type == Object && isMap:
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			w.set(f.Elem, append(slices.Clone(path), key), entries[key])
		}
	case f.Type == List && f.Elem.Type == Object && isList:
		for i, item := range items {
			w.set(f.Elem, append(slices.Clone(path), strconv.Itoa(i)), item)
		}
	default:
		w.all = append(w.all, Setting{Path: path, Field: *f, Origin: OriginSet, Value: value, Known: true, Default: f.Default})
	}
}

// absent says what holds where nothing is set, if that is known.
func (w *fullWalk) absent(f *Field, path []string) {
	s := Setting{Path: path, Field: *f, Origin: OriginKops, Default: f.Default}
	earlier := f.Path
	if f.twin != nil {
		earlier = f.twin.Path
	}
	if runs := w.runs[earlier]; runs != "" {
		s.Origin, s.Default = OriginStateroom, runs
	}
	if s.Default == "" {
		return
	}
	s.Value, s.Known = f.literal(w.kind, s.Default)
	w.all = append(w.all, s)
}

// scalarWord is a number with a unit, perhaps.
var scalarWord = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([A-Za-z]{0,2}|%)$`)

// literal is the value that a default in words is, if it is one.
func (f *Field) literal(kind, words string) (value any, ok bool) {
	switch f.Type {
	case Bool:
		b, err := strconv.ParseBool(words)
		if f.rule.op == "not" {
			b = !b
		}
		return b, err == nil && len(words) > 1
	case Int:
		n, err := strconv.Atoi(words)
		return n, err == nil
	case Number:
		n, err := strconv.ParseFloat(words, 64)
		return n, err == nil
	case IntOrString:
		if n, err := strconv.Atoi(words); err == nil {
			return n, true
		}
		return words, scalarWord.MatchString(words)
	case Quantity:
		return words, scalarWord.MatchString(words)
	case Duration:
		_, err := time.ParseDuration(words)
		return words, err == nil
	case String:
		if f.rule.op == "" || f.rule.op == "move" {
			return f.literalText(kind, words)
		}
	case List:
		if f.Elem.Type == String && (f.rule.op == "" || f.rule.op == "move") {
			return f.literalTexts(kind, words)
		}
	}
	return nil, false
}

// literalText is a default that is one word, and neither the name of another
// field nor a pattern: kops-hook-INDEX.
func (f *Field) literalText(kind, words string) (any, bool) {
	if f.Enum != nil {
		return words, slices.Contains(f.Enum, words)
	}
	_, err := f.accepts(words)
	return words, err == nil && isWord(words) && !fieldNames()[kind][words] && !strings.HasSuffix(words, "-INDEX")
}

func (f *Field) literalTexts(kind, words string) (any, bool) {
	var list []any
	for word := range strings.SplitSeq(words, ", ") {
		value, ok := f.Elem.literalText(kind, word)
		if !ok {
			return nil, false
		}
		list = append(list, value)
	}
	return list, true
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, unicode.IsSpace)
}

// fieldNames are the names of fields of two words or more, by kind: a default
// such as clusterDNSDomain is what that field says.
var fieldNames = sync.OnceValue(func() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, kind := range Kinds() {
		all[kind] = map[string]bool{}
		for _, f := range Fields(kind) {
			if strings.ContainsFunc(f.name, unicode.IsUpper) {
				all[kind][f.name] = true
			}
		}
	}
	return all
})
