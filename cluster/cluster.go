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
	"reflect"

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

	page         page
	metadataName string
	problems     []Problem // of each document by itself
}

// Group is a view of one instance group.
type Group struct {
	Name     string // of its file
	Labels   map[string]string
	Document *doc.Document
	Spec     GroupSpec

	of           *Cluster
	page         page
	metadataName string
}

// Load reads the documents of a cluster from its folder: config and
// instancegroup/*. What is in them need not be valid, see Validate, but must
// be readable: where it is not, the error is an *InvalidError with all that is
// wrong. No config is fs.ErrNotExist.
func Load(fsys fs.FS, name Name) (*Cluster, error) {
	r := &reading{cluster: &Cluster{Name: name}}
	if err := r.files(fsys); err != nil {
		return nil, fmt.Errorf("read cluster %s: %w", name, err)
	}
	return r.end()
}

// Source is a document and the file that it stands in, perhaps with others.
type Source struct {
	File     string
	Document *doc.Document
}

// Of is Load for documents that lie in no folder: a Cluster and its
// InstanceGroups. Problems are told at their places in the files.
func Of(name Name, config Source, groups ...Source) (*Cluster, error) {
	r := &reading{cluster: &Cluster{Name: name}}
	r.config(config)
	for _, g := range groups {
		value, _ := g.Document.Get("metadata", "name")
		text, _ := value.(string)
		r.group(text, g)
	}
	return r.end()
}

// reading puts a cluster together.
type reading struct {
	cluster *Cluster
	broken  bool // a file cannot be read at all
	partial bool // a value cannot be had in a view
}

// end is the cluster. One with values that no view can hold is good for
// finding out what else is wrong with it.
func (r *reading) end() (*Cluster, error) {
	switch {
	case r.broken:
		return nil, Invalid(r.cluster.problems)
	case r.partial:
		return nil, Invalid(r.cluster.Validate())
	}
	return r.cluster, nil
}

func (r *reading) files(fsys fs.FS) error {
	config, err := r.file(fsys, ConfigFile)
	if err != nil {
		return err
	}
	if config.Document != nil {
		r.config(config)
	}
	entries, err := fs.ReadDir(fsys, GroupDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		g, err := r.file(fsys, GroupFile(entry.Name()))
		if err != nil {
			return err
		}
		if g.Document != nil {
			r.group(entry.Name(), g)
		}
	}
	return nil
}

// file reads a file of one document. It has none where it cannot be read; then
// the problems say why.
func (r *reading) file(fsys fs.FS, name string) (Source, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return Source{}, err
	}
	docs, err := doc.Parse(src)
	if len(docs) == 1 {
		if err != nil { // keys given twice: no view can say which is meant
			r.partial = true
			r.cluster.problems = append(r.cluster.problems, parseProblems(name, err)...)
		}
		return Source{File: name, Document: docs[0]}, nil
	}
	_, problems := Check(name, src)
	r.cluster.problems = append(r.cluster.problems, problems...)
	r.broken = true
	return Source{File: name}, nil
}

func (r *reading) config(src Source) {
	var spec struct {
		Spec Spec `yaml:"spec"`
	}
	head, page := r.view(src, KindCluster, &spec)
	c := r.cluster
	c.page, c.Document, c.Spec, c.metadataName = page, src.Document, spec.Spec, head.Metadata.Name
	c.Labels, c.Annotations, c.Created = head.Metadata.Labels, head.Metadata.Annotations, head.Metadata.CreationTimestamp
}

func (r *reading) group(name string, src Source) {
	var spec struct {
		Spec GroupSpec `yaml:"spec"`
	}
	head, page := r.view(src, KindInstanceGroup, &spec)
	r.cluster.Groups = append(r.cluster.Groups, &Group{
		Name: name, Document: src.Document, Spec: spec.Spec, Labels: head.Metadata.Labels, of: r.cluster, page: page, metadataName: head.Metadata.Name,
	})
}

// view reads one document into a view. What is wrong with it is added to the
// problems.
func (r *reading) view(src Source, kind string, view any) (head metadata, p page) {
	got, problems := CheckDocument(src.File, src.Document)
	if len(problems) == 0 && got != kind {
		problems = []Problem{{File: src.File, Line: 1, Col: 1, Path: "kind", Message: fmt.Sprintf("%s, here stands a %s", got, kind)}}
		r.broken = true
	}
	r.cluster.problems = append(r.cluster.problems, problems...)
	p, err := newPage(kind, src)
	if err != nil {
		r.broken = true
		r.cluster.problems = append(r.cluster.problems, Problem{File: src.File, Message: err.Error()})
		return head, page{kind: kind, file: src.File, document: src.Document, view: src.Document}
	}
	if errors.Join(p.view.Decode(&head), p.view.Decode(view)) == nil {
		return head, p
	}
	r.partial = true
	head = metadata{} // what the wrong values left there are zeros nobody wrote
	reflect.ValueOf(view).Elem().SetZero()
	rest, err := without(p, problems)
	if err == nil {
		err = errors.Join(rest.Decode(&head), rest.Decode(view))
	}
	if err != nil {
		r.broken = true
		if len(problems) == 0 {
			r.cluster.problems = append(r.cluster.problems, Problem{File: src.File, Message: err.Error()})
		}
	}
	return head, p
}

// Get reads any field of config by its path in v1alpha2, whatever version the
// document is in: c.Get("spec", "kubelet", "anonymousAuth").
// See doc.Document for what values look like.
func (c *Cluster) Get(path ...string) (any, bool) { return c.page.view.Get(path...) }

// Get reads any field of the group's document.
func (g *Group) Get(path ...string) (any, bool) { return g.page.view.Get(path...) }

// Position is where a field stands in the cluster's document, whose paths are
// those of v1alpha2 whatever version the document is in.
func (c *Cluster) Position(path ...string) (line, col int) { return c.page.position(path) }

// Position is where a field stands in the group's document.
func (g *Group) Position(path ...string) (line, col int) { return g.page.position(path) }

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
