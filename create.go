package stateroom

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// Create says what a cluster is to be. Given names the flags whose values were
// given on purpose: for a cluster that is there already, those and no others
// change it.
type Create struct {
	cluster.CreateOptions
	Given  []string
	SSHKey string // line of a public key that gets people onto the hosts; "" for none
}

// Create writes the documents of a new cluster on hosts. For a cluster that is
// there already it is a change of the fields that were given.
func (s *Store) Create(ctx context.Context, cr Create, w Write) (*Outcome, error) {
	if cr.Created.IsZero() {
		cr.Created = s.opt.Now()
	}
	name := cr.Name
	var c *cluster.Cluster
	var left []cluster.Problem
	out, err := s.change(ctx, name, w, "create cluster "+string(name), func(r *recorder) error {
		var before []cluster.Problem
		var err error
		if !r.exists(cluster.ConfigFile) {
			err = s.writeNew(r, cr)
		} else if c, before, err = inspect(ctx, r, name); err == nil && c != nil {
			err = rerun(ctx, r, c, cr)
		} else if err == nil {
			err = cluster.Invalid(before)
		}
		if err == nil && cr.SSHKey != "" {
			err = writeSSHKey(r, cr.SSHKey)
		}
		if err != nil {
			return err
		}
		if c, left, err = inspect(ctx, r, name); err != nil {
			return err
		}
		return cluster.Invalid(added(before, left))
	})
	if err != nil {
		return nil, err
	}
	out.Warnings = append(s.warnings(c), stillWrong(left)...)
	return out, nil
}

func (s *Store) writeNew(r *recorder, cr Create) error {
	if cr.ConfigBase == "" && cr.Cloud != "" && cr.Cloud != "metal" {
		cr.ConfigBase = s.kopsPlace(cr.Name)
	}
	files, err := cluster.NewCluster(cr.CreateOptions)
	if err != nil {
		return err
	}
	for _, f := range files {
		r.WriteFile(f.Name, f.Bytes)
	}
	return nil
}

// kopsPlace is where kops finds a cluster's files: what it brings up in a cloud
// reads them there. A store on this machine is no such place.
func (s *Store) kopsPlace(name cluster.Name) string {
	place, _, _ := strings.Cut(s.Place(), "?")
	scheme, _, ok := strings.Cut(place, "://")
	if !ok || scheme == "mem" || scheme == "file" {
		return ""
	}
	return strings.TrimSuffix(place, "/") + "/" + string(name)
}

// SSHCredential is the document of a public key in a cluster's files, as create
// -f takes it; nil for any other file.
func SSHCredential(name cluster.Name, file string, key []byte) []byte {
	if !strings.HasPrefix(file, sshKeyDir) {
		return nil
	}
	return doc.Format(map[string]any{
		"apiVersion": cluster.APIVersion,
		"kind":       cluster.KindSSHCredential,
		"metadata":   map[string]any{"labels": map[string]any{cluster.ClusterLabel: string(name)}, "name": "admin"},
		"spec":       map[string]any{"publicKey": strings.TrimSpace(string(key))},
	})
}

// writeSSHKey puts a public key where kops keeps those of people.
func writeSSHKey(r *recorder, key string) error {
	print, err := fingerprint(key)
	if err != nil {
		return cluster.Invalid([]cluster.Problem{{File: "--ssh-public-key", Message: err.Error(), Hint: "give the file that ends in .pub"}})
	}
	r.WriteFile(sshKeyDir+print, []byte(key+"\n"))
	return nil
}

func rerun(ctx context.Context, r *recorder, c *cluster.Cluster, cr Create) error {
	patches, err := cr.Rerun(c, cr.Given)
	if err != nil {
		return err
	}
	for _, p := range patches {
		old, err := r.ReadFile(ctx, p.File)
		if err != nil {
			return err
		}
		new, err := patched(old, p.File, p.Kind, p.Patch)
		if err != nil {
			return err
		}
		if !bytes.Equal(old, new) {
			r.WriteFile(p.File, new)
		}
	}
	return nil
}

// patched returns a document of one file after a patch.
func patched(old []byte, file, kind string, p *cluster.Patch) ([]byte, error) {
	docs, err := doc.Parse(old)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(docs) != 1 {
		_, problems := cluster.Check(file, old)
		return nil, cluster.Invalid(problems)
	}
	if err := p.Apply(kind, docs[0]); err != nil {
		return nil, err
	}
	return doc.Join(docs), nil
}

// CreateFrom creates clusters and parts of clusters from a file of documents:
// Cluster, InstanceGroup (of the cluster in the file, or of the one that its
// label names), SSHCredential, and any other object as an add-on. What is there
// already is a conflict: create changes nothing of it. Each cluster gets one
// commit.
func (s *Store) CreateFrom(ctx context.Context, file string, src []byte, w Write) ([]*Outcome, error) {
	clusters, err := sortDocuments(file, src)
	if err != nil {
		return nil, err
	}
	for _, c := range clusters[min(1, len(clusters)):] {
		// The first stops by itself before anything is written. The others are
		// tried before it, so that all of the file is created or nothing.
		if _, err := s.createOne(ctx, c, Write{DryRun: true}); err != nil {
			return nil, err
		}
	}
	var all []*Outcome
	for _, c := range clusters {
		out, err := s.createOne(ctx, c, w)
		if err != nil {
			return all, err
		}
		all = append(all, out)
	}
	return all, nil
}

func (s *Store) createOne(ctx context.Context, n *newDocuments, w Write) (*Outcome, error) {
	var c *cluster.Cluster
	out, err := s.change(ctx, n.cluster, w, "create -f: "+strings.Join(n.names(), ", "), func(r *recorder) error {
		if n.file(cluster.ConfigFile) == nil {
			if err := mustExist(r, n.cluster); err != nil {
				return err
			}
		}
		_, before, err := inspectIfThere(ctx, r, n.cluster)
		if err != nil {
			return err
		}
		for _, f := range n.files {
			if err := vacant(ctx, r, n.cluster, f.Name); err != nil {
				return err
			}
			r.WriteFile(f.Name, f.Bytes)
		}
		var left []cluster.Problem
		if c, left, err = inspect(ctx, r, n.cluster); err != nil {
			return err
		}
		return cluster.Invalid(n.located(added(before, left)))
	})
	if err != nil {
		return nil, err
	}
	out.Warnings = s.warnings(c)
	return out, nil
}

// vacant refuses what is there already. A file of add-ons without one, as every
// new cluster has it, is not.
func vacant(ctx context.Context, r *recorder, name cluster.Name, file string) error {
	if !r.exists(file) {
		return nil
	}
	if file == cluster.AddonsFile {
		b, err := r.ReadFile(ctx, file)
		if err != nil || len(bytes.TrimSpace(b)) == 0 {
			return err
		}
	}
	return &ExistsError{Cluster: name, File: file}
}

// inspectIfThere is inspect, with nothing to say of a cluster that is to come.
func inspectIfThere(ctx context.Context, r *recorder, name cluster.Name) (*cluster.Cluster, []cluster.Problem, error) {
	if !r.exists(cluster.ConfigFile) {
		return nil, nil, nil
	}
	return inspect(ctx, r, name)
}

// ExistsError says that what is to be created is there.
type ExistsError struct {
	Cluster cluster.Name
	File    string
}

func (e *ExistsError) Error() string {
	if e.File == cluster.ConfigFile {
		return fmt.Sprintf("cluster %s exists already", e.Cluster)
	}
	return fmt.Sprintf("%s of cluster %s exists already", e.File, e.Cluster)
}

// Hint says what changes it.
func (e *ExistsError) Hint() string {
	if group, ok := strings.CutPrefix(e.File, cluster.GroupDir+"/"); ok {
		return fmt.Sprintf("stateroom edit instancegroup %s --name %s", group, e.Cluster)
	}
	return fmt.Sprintf("stateroom edit cluster %s", e.Cluster)
}

// newDocuments is what a file creates in one cluster.
type newDocuments struct {
	cluster cluster.Name
	files   []cluster.File
	text    string            // the file that people gave
	texts   map[string]string // by file: where it is another
	from    map[string]int    // lines of it before the first of each of files
	line    map[string]int    // of it, where each of files begins
	addons  []addon           // the objects in AddonsFile
}

// located tells problems at their places in what people gave.
func (n *newDocuments) located(problems []cluster.Problem) []cluster.Problem {
	for i, p := range problems {
		if before, ok := n.from[p.File]; ok {
			problems[i].File = n.textOf(p.File)
			if p.Line > 0 {
				problems[i].Line += before
			}
		}
	}
	return problems
}

// textOf is the file that people gave, of a file of the cluster.
func (n *newDocuments) textOf(file string) string {
	if text, ok := n.texts[file]; ok {
		return text
	}
	return n.text
}

// in notes that a file of the cluster comes from another text.
func (n *newDocuments) in(file, text string) {
	if n.texts == nil {
		n.texts = map[string]string{}
	}
	n.texts[file] = text
}

func (n *newDocuments) file(name string) *cluster.File {
	i := slices.IndexFunc(n.files, func(f cluster.File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &n.files[i]
}

func (n *newDocuments) names() []string {
	var all []string
	for _, f := range n.files {
		all = append(all, f.Name)
	}
	return all
}
