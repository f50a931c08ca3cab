package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
)

// Programs says where the programs that hosts run come from: which file is the
// kube-apiserver of 1.37.2. These are asked, in this order:
//
//   - Catalogue, where one is given;
//   - the catalogue that the last release recorded, where it has the version,
//     and the cache holds what it has no address for;
//   - the Go module in Source, where that builds the version.
type Programs struct {
	Catalogue *bundle.Catalogue
	Source    string // a folder like kubernetes/ of this project; empty: none
	Rebuild   bool   // ask Source, whatever is recorded
	Cache     string // the directory of programs
	Here      bool   // they will run on this machine: what cannot be fetched must be in the cache

	// Progress hears of each step that takes a while; total 0: not known how
	// far it goes. It may be nil.
	Progress func(step string, done, total int64)
}

func (p Programs) cache() *asset.Cache { return &asset.Cache{Dir: p.Cache} }

// choose returns the catalogue for a version of Kubernetes, and builds the
// programs where they come from source.
func (p Programs) choose(ctx context.Context, version string, recorded *bundle.Catalogue) (*bundle.Catalogue, error) {
	if c, ok := p.known(version, recorded); ok {
		_, err := c.For(version, runtime.GOOS, runtime.GOARCH)
		return c, err
	}
	if err := p.builds(version, recorded); err != nil {
		return nil, err
	}
	a, err := p.cache().BuildKubernetes(ctx, p.Source, p.Progress)
	if err != nil {
		return nil, err
	}
	return catalogueOf(version, a), nil
}

// foresee is choose for a plan, which must not take minutes: programs that are
// not built yet have no digest.
func (p Programs) foresee(ctx context.Context, version string, recorded *bundle.Catalogue) (*bundle.Catalogue, error) {
	if c, ok := p.known(version, recorded); ok {
		_, err := c.For(version, runtime.GOOS, runtime.GOARCH)
		return c, err
	}
	if err := p.builds(version, recorded); err != nil {
		return nil, err
	}
	a, ok := p.cache().Built(ctx, p.Source)
	if !ok {
		a = bundle.Asset{Name: "kubernetes", Programs: asset.KubernetesPrograms()}
	}
	return catalogueOf(version, a), nil
}

// known returns the catalogue to use where nothing has to be built.
func (p Programs) known(version string, recorded *bundle.Catalogue) (*bundle.Catalogue, bool) {
	if p.Catalogue != nil {
		return p.Catalogue, true
	}
	return recorded, recorded != nil && !p.Rebuild && p.has(recorded, version)
}

// has reports whether all programs of a version can be had by what a catalogue
// says.
func (p Programs) has(c *bundle.Catalogue, version string) bool {
	assets, err := c.For(version, runtime.GOOS, runtime.GOARCH)
	return err == nil && !slices.ContainsFunc(assets, func(a bundle.Asset) bool {
		_, cached := p.cache().Program(a)
		return !cached && (a.URL == "" || p.Here && !a.Fetchable())
	})
}

// builds checks that Source builds the version.
func (p Programs) builds(version string, recorded *bundle.Catalogue) error {
	refused := &bundle.VersionError{Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH}
	if recorded != nil {
		_, err := recorded.For(version, runtime.GOOS, runtime.GOARCH)
		errors.As(err, &refused)
	}
	if p.Source == "" {
		return &noSourceError{refused}
	}
	built, err := asset.KubernetesVersion(p.Source)
	if errors.Is(err, fs.ErrNotExist) {
		return &noSourceError{refused}
	}
	if err != nil {
		return err
	}
	if built != refused.Version {
		refused.Known = append(refused.Known, built)
		return refused
	}
	return nil
}

// noSourceError says that no catalogue has a version and nothing can build it.
type noSourceError struct{ *bundle.VersionError }

func (e *noSourceError) Unwrap() error { return e.VersionError }

func (e *noSourceError) Hint() string {
	return "run this from a checkout of Stateroom, name its kubernetes folder with --kubernetes-source, or give a --catalogue"
}

func catalogueOf(version string, assets ...bundle.Asset) *bundle.Catalogue {
	return &bundle.Catalogue{Versions: []bundle.CatalogueVersion{{
		Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH, Assets: assets,
	}}}
}

// program returns the path of a program of a catalogue on this machine. It may
// be a multi-call program, which goes by the name it is started under.
func (p Programs) program(ctx context.Context, c *bundle.Catalogue, version, name string) (string, error) {
	assets, err := c.For(version, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	for _, a := range assets {
		if slices.Contains(a.Programs, name) {
			return p.cache().Fetch(ctx, a, p.Progress)
		}
	}
	return "", fmt.Errorf("no %s among the programs for kubernetes %s: %w", name, version, fs.ErrNotExist)
}
