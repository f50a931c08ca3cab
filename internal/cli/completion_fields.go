package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// settings completes PATH=VALUE, one step of the path at a time; values only
// where there are few.
func (c *completer) settings(ctx context.Context, cmd *cobra.Command, args []string, typed string) []string {
	if i := strings.LastIndexByte(typed, '='); i > strings.LastIndexAny(typed, "[]") {
		return valuesOf(kindOf(cmd), typed[:i])
	}
	var all []string
	for _, s := range c.fields(ctx, cmd, args, typed) {
		path, what, _ := strings.Cut(s, "\t")
		if !strings.HasSuffix(path, ".") && !strings.HasSuffix(path, "[") {
			path += "="
		}
		all = append(all, path+"\t"+what)
	}
	return all
}

// fields completes the path of a field.
func (c *completer) fields(ctx context.Context, cmd *cobra.Command, args []string, typed string) []string {
	kind := kindOf(cmd)
	if i := strings.LastIndexByte(typed, '['); i > strings.LastIndexByte(typed, ']') {
		return c.elements(ctx, cmd, args, kind, typed[:i])
	}
	parent := typed[:strings.LastIndexByte(typed, '.')+1] // "spec.etcdClusters[0]."
	shape := elementless(parent)
	var all []string
	for _, f := range cluster.Fields(kind) {
		name, ok := strings.CutPrefix(f.Path, shape)
		if !ok || name == "" || name != f.Name() || f.Name() == "apiVersion" || f.Name() == "kind" {
			continue
		}
		all = append(all, parent+name+follows(f)+"\t"+f.String()+": "+firstSentence(f.Doc))
	}
	return all
}

// explainable completes KIND.FIELD for explain, where elements need not be said.
func explainable(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const noFiles = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, noFiles
	}
	kind, path := splitKind(typed)
	parent := cluster.Field{}
	ok := false
	switch i := strings.LastIndexByte(path, '.'); {
	case kind == "" && i < 0:
		return []string{"cluster.", "instancegroup.", "keyset.", "sshcredential.", "spec."}, noFiles | cobra.ShellCompDirectiveNoSpace
	case kind == "":
		if parent, ok = cluster.Explain(cluster.KindCluster, path[:i]); !ok {
			parent, ok = cluster.Explain(cluster.KindInstanceGroup, path[:i])
		}
	default:
		parent, ok = cluster.Explain(kind, path[:max(i, 0)])
	}
	if !ok {
		return nil, noFiles
	}
	before := typed[:strings.LastIndexByte(typed, '.')+1]
	var all []string
	for _, f := range parent.Fields() {
		name := before + f.Name()
		if len(f.Fields()) > 0 {
			name += "."
		}
		all = append(all, name+"\t"+f.String()+": "+firstSentence(f.Doc))
	}
	return all, directive(all)
}

// follows is what comes after the name of a field that is not the last.
func follows(f cluster.Field) string {
	switch {
	case f.Type == cluster.Object, f.Type == cluster.Map:
		return "."
	case f.Type == cluster.List && f.Elem.Type == cluster.Object:
		return "["
	}
	return ""
}

// elementless writes a path as the table of fields has it: [0] and [name=main]
// as [], and the keys of maps as {}.
func elementless(path string) string {
	var b strings.Builder
	for path != "" {
		open := strings.IndexByte(path, '[')
		if open < 0 {
			break
		}
		end := strings.IndexByte(path[open:], ']')
		if end < 0 {
			break
		}
		b.WriteString(path[:open] + "[]")
		path = path[open+end+1:]
	}
	b.WriteString(path)
	return b.String()
}

// elements completes the elements of a list: by number, and by name where they
// have names.
func (c *completer) elements(ctx context.Context, cmd *cobra.Command, args []string, kind, list string) []string {
	d := c.document(ctx, cmd, args, kind)
	if d == nil {
		return []string{list + "[0]."}
	}
	v, _ := d.Get(strings.Split(list, ".")...)
	items, _ := v.([]any)
	var all []string
	for i, item := range items {
		m, _ := item.(map[string]any)
		if name, ok := m["name"].(string); ok {
			all = append(all, list+"[name="+name+"].")
		} else {
			all = append(all, list+"["+number(&i)+"].")
		}
	}
	return all
}

// document is the one that the command changes.
func (c *completer) document(ctx context.Context, cmd *cobra.Command, args []string, kind string) *doc.Document {
	_, found := c.cluster(ctx, cmd, args)
	switch {
	case found == nil:
		return nil
	case kind == cluster.KindCluster:
		return found.Document
	case len(args) > 0 && found.Group(args[0]) != nil:
		return found.Group(args[0]).Document
	}
	return nil
}

func kindOf(cmd *cobra.Command) string {
	if cmd.Name() == "instancegroup" {
		return cluster.KindInstanceGroup
	}
	return cluster.KindCluster
}

// valuesOf lists what a field can be, where that is one of a few.
func valuesOf(kind, path string) []string {
	f, ok := cluster.FieldFor(kind, path)
	switch {
	case !ok:
		return nil
	case f.Type == cluster.Bool:
		return []string{path + "=true", path + "=false"}
	case len(f.Enum) > 0:
		var all []string
		for _, v := range f.Enum {
			all = append(all, path+"="+v)
		}
		return all
	case f.Path == "spec.kubernetesVersion":
		return []string{path + "=" + cluster.DefaultKubernetesVersion}
	}
	return nil
}
