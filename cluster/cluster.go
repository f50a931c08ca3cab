// Package cluster knows the documents of a cluster: which files there are, the
// fields of kops' kops.k8s.io/v1alpha2 and their types, what makes documents
// valid alone and together, how --set changes them, and what create cluster
// writes. The documents stay the truth; Cluster and Group are views of them.
//
// It is pure: documents come as bytes or an fs.FS, and it reads neither clock
// nor network. It does not know stores, keys, or what runs on a host.
//
//	c, err := cluster.Load(fsys, name)               // views
//	problems := c.Validate()                         // all that is wrong
//	p, err := cluster.ParsePatch(sets, unsets)
//	err = p.Apply(cluster.KindCluster, c.Document)   // edits in place
//
// The rules are in docs/formats/cluster-documents.md.
package cluster

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/stateroom/stateroom/doc"
)

// The files of a cluster, relative to its folder.
const (
	ConfigFile = "config"
	GroupDir   = "instancegroup"
	AddonsFile = "clusteraddons/default"
)

// GroupFile is the file of an instance group.
func GroupFile(group string) string { return GroupDir + "/" + group }

// Cluster is a view of the documents of one cluster.
type Cluster struct {
	Name        Name
	Labels      map[string]string // metadata.labels
	Annotations map[string]string // metadata.annotations
	Created     string            // metadata.creationTimestamp
	Document    *doc.Document
	Spec        Spec
	Groups      []*Group // sorted by name

	problems []Problem // of each document by itself
}

// Group is a view of one instance group.
type Group struct {
	Name     string // of its file
	Labels   map[string]string
	Document *doc.Document
	Spec     GroupSpec

	metadataName string
}

// Load reads the documents of a cluster from its folder: config and
// instancegroup/*. What is in them need not be valid, see Validate, but must
// be readable: syntax errors and values that do not fit the views are an
// *InvalidError. No config is fs.ErrNotExist.
func Load(fsys fs.FS, name Name) (*Cluster, error) {
	c := &Cluster{Name: name}
	var spec struct {
		Spec Spec `yaml:"spec"`
	}
	head, d, err := c.load(fsys, ConfigFile, KindCluster, &spec)
	if err != nil {
		return nil, fmt.Errorf("read cluster %s: %w", name, err)
	}
	c.Document, c.Spec = d, spec.Spec
	c.Labels, c.Annotations, c.Created = head.Metadata.Labels, head.Metadata.Annotations, head.Metadata.CreationTimestamp
	readable := d != nil

	entries, err := fs.ReadDir(fsys, GroupDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read cluster %s: %w", name, err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		g, err := c.loadGroup(fsys, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read cluster %s: %w", name, err)
		}
		readable = readable && g.Document != nil
		c.Groups = append(c.Groups, g)
	}
	if !readable {
		return nil, Invalid(c.problems)
	}
	return c, nil
}

func (c *Cluster) loadGroup(fsys fs.FS, name string) (*Group, error) {
	var spec struct {
		Spec GroupSpec `yaml:"spec"`
	}
	head, d, err := c.load(fsys, GroupFile(name), KindInstanceGroup, &spec)
	if err != nil {
		return nil, err
	}
	return &Group{Name: name, Document: d, Spec: spec.Spec, Labels: head.Metadata.Labels, metadataName: head.Metadata.Name}, nil
}

// load reads one file into a view. What is wrong with it is added to
// c.problems; no document means that it cannot be read for that.
func (c *Cluster) load(fsys fs.FS, file, kind string, view any) (head metadata, d *doc.Document, err error) {
	src, err := fs.ReadFile(fsys, file)
	if err != nil {
		return head, nil, err
	}
	got, problems := Check(file, src)
	if len(problems) == 0 && got != kind {
		problems = []Problem{{File: file, Line: 1, Col: 1, Path: "kind", Message: fmt.Sprintf("%s, here stands a %s", got, kind)}}
	}
	c.problems = append(c.problems, problems...)
	docs, err := doc.Parse(src)
	if err != nil || len(docs) != 1 {
		return head, nil, nil // Check has said why
	}
	if err := errors.Join(docs[0].Decode(&head), docs[0].Decode(view)); err != nil {
		if len(problems) == 0 {
			c.problems = append(c.problems, Problem{File: file, Message: err.Error()})
		}
		return head, nil, nil
	}
	return head, docs[0], nil
}

// Get reads any field of config: c.Get("spec", "kubelet", "anonymousAuth").
// See doc.Document for what values look like.
func (c *Cluster) Get(path ...string) (any, bool) { return c.Document.Get(path...) }

// Get reads any field of the group's document.
func (g *Group) Get(path ...string) (any, bool) { return g.Document.Get(path...) }

// File is the name of the group's file.
func (g *Group) File() string { return GroupFile(g.Name) }

// Group finds a group by name, or nil.
func (c *Cluster) Group(name string) *Group {
	for _, g := range c.Groups {
		if g.Name == name {
			return g
		}
	}
	return nil
}

// cloudLabel is where kops says that a cluster is on plain hosts.
const cloudLabel, metal = "alpha.kops.k8s.io/cloud", "metal"

// OnHosts says whether the cluster runs on plain hosts, which Stateroom runs
// itself: the label that kops gives it, and no cloud provider.
func (c *Cluster) OnHosts() bool {
	return c.Labels[cloudLabel] == metal && c.Spec.CloudProvider == ""
}

// Cloud is the name of the cloud: aws, gce, ..., metal; "" where the documents
// do not say.
func (c *Cluster) Cloud() string {
	if c.Spec.CloudProvider != "" {
		return c.Spec.CloudProvider
	}
	return c.Labels[cloudLabel]
}

// ConfigBase is where the cluster's own files lie, as its document says; ""
// means where the document itself lies.
func (c *Cluster) ConfigBase() string { return c.Spec.ConfigBase }
