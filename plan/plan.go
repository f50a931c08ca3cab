// Package plan turns the documents and keysets of a cluster into bundles, what
// the nodes of each group run, and says what differs between two such results.
//
// It decides and does nothing else: it makes no key, reads no clock and fetches
// nothing. The same files, catalogue and options give the same bytes.
//
//	p, err := plan.Make(files, "demo.example.com", plan.Options{Catalogue: c, ClusterID: id, OS: "linux", Arch: "amd64"})
//	changes := plan.Diff(released, p)
//	data, digest := p.Bundles["control-plane-main"].Encode()
//
// How a field of a document becomes a flag of a program is written down in
// docs/design/0003-rendering.md.
package plan

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
)

// Options is what a plan depends on besides the cluster's files.
type Options struct {
	Catalogue *bundle.Catalogue // which programs there are; an asset without SHA256 is not built yet
	ClusterID string            // id of the cluster's history; empty before its first commit
	OS, Arch  string            // of the hosts, as Go names them
}

// A Plan is what the documents of a cluster ask for. One put together by hand
// from the documents and bundles of an earlier release serves as the old side
// of Diff.
type Plan struct {
	Cluster   cluster.Name
	Version   string                    // of Kubernetes, without a leading v
	Documents map[string]string         // the text of each document, by the name of its file
	Bundles   map[string]*bundle.Bundle // by group
	Missing   []string                  // keysets to be made first; until then their files hold Unknown
	Ignored   []Ignored                 // what is set and has no effect on hosts
	Notes     []string                  // what a person should know about the bundles
	Problems  []cluster.Problem         // why there are no bundles
}

// Unknown stands in a plan for what is known only once it is made.
const Unknown = "(known after apply)"

// Final reports whether the bundles can be given to hosts: there are no
// problems, no keyset is missing, every program is known.
func (p *Plan) Final() bool {
	for _, b := range p.Bundles {
		if b.ClusterID == "" || slices.ContainsFunc(b.Assets, notBuilt) {
			return false
		}
	}
	return len(p.Problems) == 0 && len(p.Missing) == 0
}

func notBuilt(a bundle.Asset) bool { return a.SHA256 == "" }

// Make plans a cluster from its files: config, instancegroup/* and
// pki/private/*/keyset.yaml. Documents that cannot be rendered are Problems of
// the plan, which then has no bundles; files that cannot be read, and a version
// that the catalogue has no programs for, are errors.
func Make(files fs.FS, name cluster.Name, opt Options) (*Plan, error) {
	p, err := makePlan(files, name, opt)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", name, err)
	}
	return p, nil
}

func makePlan(files fs.FS, name cluster.Name, opt Options) (*Plan, error) {
	c, err := cluster.Load(files, name)
	if err != nil {
		return nil, err
	}
	p := &Plan{Cluster: name, Bundles: map[string]*bundle.Bundle{}}
	if p.Documents, err = documents(files); err != nil {
		return nil, err
	}
	s, problems := settingsOf(c)
	if len(problems) > 0 {
		p.Problems = problems
		return p, nil
	}
	p.Version = s.KubernetesVersion.String()
	assets, err := opt.Catalogue.For(p.Version, opt.OS, opt.Arch)
	if err != nil {
		return nil, err
	}
	keys, err := readKeysets(files, Keysets(c))
	if err != nil {
		return nil, err
	}
	p.Missing, p.Ignored = keys.missing, ignored(c)
	if strings.TrimSpace(p.Documents[cluster.AddonsFile]) != "" {
		p.Notes = append(p.Notes, cluster.AddonsFile+" is not applied to clusters on hosts yet")
	}
	for _, g := range c.Groups {
		r := &render{cluster: c, settings: s, keys: keys, bundle: &bundle.Bundle{
			Cluster: string(name), ClusterID: opt.ClusterID, Group: g.Name, Version: p.Version,
		}}
		if g.Spec.Role == cluster.RoleControlPlane {
			r.controlPlane()
		} else {
			p.Notes = append(p.Notes, r.worker())
		}
		if err := r.finish(assets); err != nil {
			return nil, fmt.Errorf("group %s: %w", g.Name, err)
		}
		p.Bundles[g.Name] = r.bundle
	}
	return p, nil
}

// render is the making of one bundle.
type render struct {
	cluster  *cluster.Cluster
	settings settings
	keys     *keysets
	bundle   *bundle.Bundle
}

// worker renders the bundle of a group that runs pods. It names nothing of the
// control plane and holds no key.
func (r *render) worker() string {
	r.trust("kubernetes-ca")
	return fmt.Sprintf("group %s runs nothing yet: this version has no container runtime, kubelet and kube-proxy for hosts", r.bundle.Group)
}

// beside are programs that are no services but that hosts need for those that
// are, by the program of the service; a catalogue need not have them.
var beside = map[string]string{"etcd": "etcdutl"} // makes a data directory of a snapshot

// finish takes from the catalogue what the services of the bundle need, and
// checks the whole. What is not known yet is no breach of the rules.
func (r *render) finish(all []bundle.Asset) error {
	for _, a := range all {
		if slices.ContainsFunc(r.bundle.Services, func(s bundle.Service) bool {
			return slices.Contains(a.Programs, s.Program) || slices.Contains(a.Programs, beside[s.Program])
		}) {
			r.bundle.Assets = append(r.bundle.Assets, a)
		}
	}
	slices.SortFunc(r.bundle.Files, func(a, b bundle.File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(r.bundle.Certificates, func(a, b bundle.CertificateRequest) int { return strings.Compare(a.Path, b.Path) })
	checked := *r.bundle
	checked.ClusterID = cmp.Or(checked.ClusterID, "unknown")
	checked.Assets = slices.Clone(checked.Assets)
	for i, a := range checked.Assets {
		if notBuilt(a) {
			checked.Assets[i].SHA256 = strings.Repeat("0", 64)
		}
	}
	if err := checked.Validate(); err != nil {
		return err
	}
	if data, _ := checked.Encode(); len(data) > bundle.MaxBundle {
		return fmt.Errorf("its bundle has %d bytes, and hosts take %d at the most: %w", len(data), bundle.MaxBundle, fs.ErrInvalid)
	}
	return nil
}

// documents reads the text of everything that people write.
func documents(files fs.FS) (map[string]string, error) {
	all := map[string]string{}
	for _, pattern := range []string{"config", "instancegroup/*", "clusteraddons/*"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, err
			}
			all[name] = string(text)
		}
	}
	return all, nil
}
