package bundle

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// MaxCatalogue is the size, in bytes, over which a catalogue is refused.
const MaxCatalogue = 1 << 20

// A Catalogue says which programs make up which version of Kubernetes on which
// kind of host, and where they lie. It is an input of every plan.
type Catalogue struct {
	Versions []CatalogueVersion `json:"versions"`
}

// A CatalogueVersion is what one kind of host fetches for one version.
type CatalogueVersion struct {
	Version string  `json:"version"` // of Kubernetes, without a leading v
	OS      string  `json:"os"`      // as Go names it
	Arch    string  `json:"arch"`    // as Go names it
	Assets  []Asset `json:"assets"`
}

type catalogueV1 struct {
	Format int `json:"format"`
	Catalogue
}

// Encode returns the canonical bytes of c.
func (c *Catalogue) Encode() []byte {
	w := catalogueV1{1, Catalogue{filled(c.Versions)}}
	for i := range w.Versions {
		w.Versions[i].Assets = filled(w.Versions[i].Assets)
	}
	return encode(w)
}

// ParseCatalogue reads a catalogue, in any layout: people write it.
func ParseCatalogue(data []byte) (*Catalogue, error) {
	if len(data) > MaxCatalogue {
		return nil, tooLarge("catalogue", MaxCatalogue)
	}
	var w catalogueV1
	if err := decode("catalogue", data, &w); err != nil {
		return nil, err
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return &w.Catalogue, nil
}

// Validate checks all rules of docs/formats/catalogue.md, as an *InvalidError.
func (c *Catalogue) Validate() error {
	p := problems{what: "catalogue"}
	seen := map[string]bool{}
	for _, v := range c.Versions {
		at := fmt.Sprintf("%.80s %.20s/%.20s", v.Version, v.OS, v.Arch)
		p.must(versionForm.MatchString(v.Version), "versions: %.80q is not a version such as 1.37.2", v.Version)
		p.must(nameForm.MatchString(v.OS) && nameForm.MatchString(v.Arch), "%s: os or arch is not a name", at)
		p.must(!seen[at], "%s is there twice", at)
		seen[at] = true
		names, programs := map[string]bool{}, map[string]bool{}
		for _, a := range v.Assets {
			p.asset(a)
			p.must(!names[a.Name], "%s: asset %.80q is there twice", at, a.Name)
			names[a.Name] = true
			for _, name := range a.Programs {
				p.must(!programs[name], "%s: program %.80q is there twice", at, name)
				programs[name] = true
			}
		}
	}
	return p.err()
}

// A VersionError says that a catalogue has nothing for a version, and what it has.
type VersionError struct {
	Version, OS, Arch string
	Known             []string // versions for this OS and Arch, as in the catalogue
}

func (e *VersionError) Error() string {
	known := "none"
	if len(e.Known) > 0 {
		known = strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("no programs for kubernetes %s on %s/%s; there are programs for: %s", e.Version, e.OS, e.Arch, known)
}

// Is makes a VersionError an fs.ErrInvalid: what asks for the version is a document.
func (e *VersionError) Is(target error) bool { return target == fs.ErrInvalid }

// Hint says what a person can do.
func (e *VersionError) Hint() string {
	if len(e.Known) == 0 {
		return ""
	}
	return "set spec.kubernetesVersion to one of: " + strings.Join(e.Known, ", ")
}

// For returns the assets of a version, which may begin with a v, for one kind
// of host; a *VersionError where there are none.
func (c *Catalogue) For(version, os, arch string) ([]Asset, error) {
	e := &VersionError{Version: strings.TrimPrefix(version, "v"), OS: os, Arch: arch}
	for _, v := range c.Versions {
		if v.OS != os || v.Arch != arch {
			continue
		}
		if v.Version == e.Version {
			return slices.Clone(v.Assets), nil
		}
		e.Known = append(e.Known, v.Version)
	}
	return nil, e
}
