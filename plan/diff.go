package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/stateroom/stateroom/bundle"
)

// A Change is one difference between two plans.
type Change struct {
	Group  string // of instances; "" for documents and keysets
	Kind   Kind
	Name   string
	Action Action
	Effect Effect // on the processes of a node of the group
	Why    string // one line, ready to be read
	Text   string // a unified diff without its header, Secret, or ""
}

// Kind is what a change is about.
type Kind string

// The kinds, in the order in which Diff lists them.
const (
	KindDocument    Kind = "document"
	KindKeyset      Kind = "keyset"
	KindAsset       Kind = "asset"
	KindFile        Kind = "file"
	KindCertificate Kind = "certificate"
	KindService     Kind = "service"
)

// Action is what becomes of the thing.
type Action string

// The actions.
const (
	Add    Action = "add"
	Modify Action = "change"
	Remove Action = "remove"
)

// Effect is what a change does to the processes of a node. Changes of files,
// certificates and assets have none of their own: the services that need them
// are listed with theirs.
type Effect string

// The effects. Those of a changed service are the disruptions of a bundle.
const (
	None    Effect = bundle.DisruptionNone
	Start   Effect = "start"
	Stop    Effect = "stop"
	Reload  Effect = bundle.DisruptionReload
	Restart Effect = bundle.DisruptionRestart
	Drain   Effect = bundle.DisruptionDrain
)

// Secret stands wherever the content of a secret would.
const Secret = "[secret]"

// Diff lists what changes from old to new: documents and keysets first, then
// group by group. old may be nil: nothing is there yet. Where new has problems,
// and so no bundles, only the documents are compared. A group that is gone has no
// changes: its hosts are named by no release any more, and go on as they are.
func Diff(old, new *Plan) []Change {
	if old == nil {
		old = &Plan{}
	}
	changes := diffDocuments(old.Documents, new.Documents)
	for _, name := range new.Missing {
		changes = append(changes, Change{Kind: KindKeyset, Name: name, Action: Add, Effect: None, Why: "keyset " + name + " is made", Text: Unknown})
	}
	if len(new.Problems) > 0 {
		return changes
	}
	for _, group := range slices.Sorted(maps.Keys(new.Bundles)) {
		changes = append(changes, diffBundles(group, old.Bundles[group], new.Bundles[group])...)
	}
	return changes
}

func diffDocuments(old, new map[string]string) (all []Change) {
	for _, name := range union(old, new) {
		a, was := old[name]
		b, is := new[name]
		if was == is && a == b {
			continue
		}
		action := actionOf(was, is)
		all = append(all, Change{Kind: KindDocument, Name: name, Action: action, Effect: None, Why: fmt.Sprintf("document %s is %s", name, past[action]), Text: Unified(a, b)})
	}
	return all
}

// diffBundles compares what a group runs. old may be nil.
func diffBundles(group string, old, new *bundle.Bundle) []Change {
	if old == nil {
		old = &bundle.Bundle{}
	}
	d := comparison{group: group, old: old, new: new}
	d.assets()
	d.files()
	d.certificates()
	d.services()
	return d.changes
}

// comparison is the comparing of two bundles.
type comparison struct {
	group    string
	old, new *bundle.Bundle
	changes  []Change
}

func (d *comparison) add(c Change) {
	c.Group = d.group
	if c.Effect == "" {
		c.Effect = None
	}
	d.changes = append(d.changes, c)
}

func (d *comparison) assets() {
	old, new := byName(d.old.Assets, assetName), byName(d.new.Assets, assetName)
	for _, name := range union(old, new) {
		a, was := old[name]
		b, is := new[name]
		if was == is && a.SHA256 == b.SHA256 && a.URL == b.URL && a.Member == b.Member && slices.Equal(a.Programs, b.Programs) {
			continue
		}
		action := actionOf(was, is)
		why := fmt.Sprintf("asset %s is %s", name, past[action])
		if is && (!was || a.SHA256 != b.SHA256) {
			why += ": sha256 " + fromTo(short(a.SHA256, was), short(b.SHA256, is))
		}
		d.add(Change{Kind: KindAsset, Name: name, Action: action, Why: why})
	}
}

func (d *comparison) files() {
	old, new := byName(d.old.Files, filePath), byName(d.new.Files, filePath)
	for _, path := range union(old, new) {
		a, was := old[path]
		b, is := new[path]
		if was == is && sameFile(a, b) {
			continue
		}
		action := actionOf(was, is)
		c := Change{Kind: KindFile, Name: path, Action: action, Why: fmt.Sprintf("file %s is %s", path, past[action]), Text: Secret}
		if !a.Secret && !b.Secret {
			c.Text = Unified(maskPEM(a.Content), maskPEM(b.Content))
		}
		if was && is && a.Mode != b.Mode {
			c.Why += fmt.Sprintf(": mode %s", fromTo(a.Mode.String(), b.Mode.String()))
		}
		d.add(c)
	}
}

func (d *comparison) certificates() {
	old, new := byName(d.old.Certificates, certificatePath), byName(d.new.Certificates, certificatePath)
	for _, path := range union(old, new) {
		a, was := old[path]
		b, is := new[path]
		if was == is && len(d.certificateReasons(a, b)) == 0 {
			continue
		}
		action := actionOf(was, is)
		why := fmt.Sprintf("certificate %s is %s", path, past[action])
		if was && is {
			why += ": " + strings.Join(d.certificateReasons(a, b), "; ")
		}
		d.add(Change{Kind: KindCertificate, Name: path, Action: action, Why: why, Text: Unified(certificateText(a, was), certificateText(b, is))})
	}
}

var past = map[Action]string{Add: "added", Modify: "changed", Remove: "removed"}

func actionOf(was, is bool) Action {
	switch {
	case !was:
		return Add
	case !is:
		return Remove
	}
	return Modify
}

// unset stands for a value that is not there.
const unset = "(unset)"

func fromTo(old, new string) string { return old + " -> " + new }

// short is the beginning of a digest, enough for people to tell two apart.
func short(sha256 string, there bool) string {
	switch {
	case !there:
		return unset
	case sha256 == "":
		return Unknown
	}
	return sha256[:min(12, len(sha256))]
}

func sameFile(a, b bundle.File) bool {
	return a.Mode == b.Mode && a.Secret == b.Secret && sameContent(a, b)
}

// sameContent is what a host goes by: another mode restarts nothing.
func sameContent(a, b bundle.File) bool {
	return a.Expand == b.Expand && a.Content == b.Content && string(a.Sealed) == string(b.Sealed)
}

func assetName(a bundle.Asset) string                    { return a.Name }
func filePath(f bundle.File) string                      { return f.Path }
func certificatePath(c bundle.CertificateRequest) string { return c.Path }
func serviceName(s bundle.Service) string                { return s.Name }

func byName[T any](list []T, name func(T) string) map[string]T {
	m := map[string]T{}
	for _, v := range list {
		m[name(v)] = v
	}
	return m
}

// union is the keys of both maps, sorted.
func union[T any](a, b map[string]T) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// Unified returns the hunks of a unified diff of two texts, without its header.
func Unified(old, new string) string {
	_, hunks, ok := strings.Cut(string(diff.Diff("old", []byte(old), "new", []byte(new))), "+++ new\n")
	if !ok {
		return ""
	}
	return hunks
}

var pemBlock = regexp.MustCompile(`(?s)-----BEGIN ([A-Z ]+)-----.*?(-----END [A-Z ]+-----|\z)`)

// maskPEM puts one line in the place of each PEM block, so that certificates
// compare as lines and a key that ended up here by mistake does not show.
func maskPEM(text string) string {
	return pemBlock.ReplaceAllStringFunc(text, func(block string) string {
		label := pemBlock.FindStringSubmatch(block)[1]
		if strings.Contains(label, "PRIVATE") {
			return Secret
		}
		return label + " " + bundle.DigestOf([]byte(block)).Short()
	})
}
