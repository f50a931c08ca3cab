package cluster

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stateroom/stateroom/doc"
)

// Channel is what kops takes images and versions from, in the format of its
// channels/stable.
type Channel struct {
	images   []channelImage
	releases []channelRelease
}

type channelImage struct {
	Name         string `yaml:"name"`
	Cloud        string `yaml:"providerID"`
	Architecture string `yaml:"architectureID"`
	Versions     string `yaml:"kubernetesVersion"`

	versions versionRange
}

type channelRelease struct {
	Range             string `yaml:"range"`
	KubernetesVersion string `yaml:"kubernetesVersion"`

	versions versionRange
}

// kopsVersion is the kops whose documents create cluster writes; a channel
// names a version of Kubernetes for each.
var kopsVersion = Version{Major: 1, Minor: 37, Pre: "alpha.1"}

//go:embed channel.yaml
var builtinChannel []byte

// BuiltinChannel is the one that comes with the program.
var BuiltinChannel = sync.OnceValue(func() *Channel {
	c, err := ParseChannel("channel.yaml", builtinChannel)
	if err != nil {
		panic("cluster: " + err.Error())
	}
	return c
})

// ParseChannel reads a channel: YAML with spec.images and spec.kopsVersions;
// what else a channel says is passed over. The error is an *InvalidError.
func ParseChannel(name string, src []byte) (*Channel, error) {
	docs, err := doc.Parse(src)
	if err != nil {
		return nil, Invalid(parseProblems(name, err))
	}
	if len(docs) != 1 {
		return nil, Invalid([]Problem{{File: name, Message: fmt.Sprintf("a channel is one document, this is %d", len(docs))}})
	}
	var view struct {
		Spec struct {
			Images       []channelImage   `yaml:"images"`
			KopsVersions []channelRelease `yaml:"kopsVersions"`
		} `yaml:"spec"`
	}
	if err := docs[0].Decode(&view); err != nil {
		return nil, Invalid(parseProblems(name, err))
	}
	if _, ok := docs[0].Get("spec"); !ok {
		return nil, Invalid([]Problem{{File: name, Line: 1, Col: 1, Message: "it is no channel: it has no spec", Hint: "docs/formats/channel.md says what a channel is"}})
	}
	c := &Channel{images: view.Spec.Images, releases: view.Spec.KopsVersions}
	return c, Invalid(c.readRanges(name, docs[0]))
}

// readRanges parses the ranges, and says which cannot be read.
func (c *Channel) readRanges(name string, d *doc.Document) (problems []Problem) {
	read := func(text string, into *versionRange, path ...string) {
		r, err := parseVersionRange(text)
		if err != nil {
			line, col := d.Position(path...)
			problems = append(problems, Problem{File: name, Line: line, Col: col, Path: doc.PathString(path), Message: err.Error()})
		}
		*into = r
	}
	for i := range c.images {
		read(c.images[i].Versions, &c.images[i].versions, field("spec", "images", i, "kubernetesVersion")...)
	}
	for i := range c.releases {
		read(c.releases[i].Range, &c.releases[i].versions, field("spec", "kopsVersions", i, "range")...)
	}
	return problems
}

// Image is the first image for machines of that architecture; "" for none.
func (c *Channel) Image(cloud string, version Version, architecture string) string {
	i := slices.IndexFunc(c.images, func(m channelImage) bool {
		return m.Cloud == cloud && (m.Architecture == "" || m.Architecture == architecture) && m.versions.has(version)
	})
	if i < 0 {
		return ""
	}
	return c.images[i].Name
}

// KubernetesVersion is the version for new clusters; "" for none.
func (c *Channel) KubernetesVersion() string {
	i := slices.IndexFunc(c.releases, func(r channelRelease) bool { return r.versions.has(kopsVersion) })
	if i < 0 {
		return ""
	}
	if v, err := ParseVersion(c.releases[i].KubernetesVersion); err == nil {
		return v.String()
	}
	return ""
}

// versionRange is a list of alternatives, each a list of comparisons that all
// hold: ">=1.27.0 <1.32.0 || 1.35.0". The empty one holds every version.
type versionRange [][]comparison

type comparison struct {
	op      string
	version Version
}

func parseVersionRange(text string) (versionRange, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var r versionRange
	for alternative := range strings.SplitSeq(text, "||") {
		var all []comparison
		for word := range strings.FieldsSeq(alternative) {
			digits := strings.TrimLeft(word, "<>=!")
			c := comparison{op: word[:len(word)-len(digits)]}
			var err error
			if c.version, err = ParseVersion(digits); err != nil || !slices.Contains([]string{"", "=", "==", "!=", "!", "<", "<=", ">", ">="}, c.op) {
				return nil, fmt.Errorf("%q is no range of versions such as \">=1.32.0 <1.35.0\"", shorten(text))
			}
			all = append(all, c)
		}
		r = append(r, all)
	}
	return r, nil
}

func (r versionRange) has(v Version) bool {
	return len(r) == 0 || slices.ContainsFunc(r, func(all []comparison) bool {
		return !slices.ContainsFunc(all, func(c comparison) bool { return !c.holds(v) })
	})
}

func (c comparison) holds(v Version) bool {
	order := v.Compare(c.version)
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "!=", "!":
		return order != 0
	}
	return order == 0
}
