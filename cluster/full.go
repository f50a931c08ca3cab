package cluster

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"

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
// What lies below objects that it does not have is left out, and what means
// nothing where the cluster lies.
func (c *Cluster) Full() []Setting {
	w := fullWalk{kind: KindCluster, cloud: c.Cloud(), document: c.Document, runs: c.runs()}
	w.object(tableOf(w.kind, w.document), nil)
	return w.all
}

// Full is as that of Cluster.
func (g *Group) Full() []Setting {
	w := fullWalk{kind: KindInstanceGroup, cloud: g.of.Cloud(), document: g.Document}
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
	cloud    string // metal on hosts; "": not known
	document *doc.Document
	runs     map[string]string
	all      []Setting
}

func (w *fullWalk) object(f *Field, path []string) {
	for _, c := range f.Fields() {
		at := append(slices.Clone(path), c.name)
		if value, ok := w.document.Get(at...); ok {
			w.set(c, at, value)
		} else if f.in(w.cloud) && c.in(w.cloud) {
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
	if s.Value, s.Known = f.fixed(); s.Origin == OriginStateroom {
		s.Value, s.Known = s.Default, true
	}
	w.all = append(w.all, s)
}

// in says whether a field means something in a cloud.
func (f *Field) in(cloud string) bool {
	return len(f.Clouds) == 0 || cloud == "" || slices.Contains(f.Clouds, cloud) || cloud != metal && slices.Contains(f.Clouds, "any")
}

// fixed is the value of a default that is one.
func (f *Field) fixed() (value any, ok bool) {
	if !f.Fixed {
		return nil, false
	}
	switch f.rule.op {
	case "", "move":
	case "not":
		return f.Default != "true", true
	default: // it is written otherwise here
		return nil, false
	}
	if f.Type == List {
		list := []any{}
		for _, text := range splitList(f.Default) {
			item, err := parseValue(f.Elem, text)
			if err != nil {
				return nil, false
			}
			list = append(list, item)
		}
		return list, true
	}
	value, err := parseValue(f, f.Default)
	return value, err == nil
}
