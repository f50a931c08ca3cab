package stateroom

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// FilesCheck is what can be said of documents that lie in no store.
type FilesCheck struct {
	Documents int            // how many there are
	Clusters  []cluster.Name // whose Cluster document is among them, in order
	Alone     []string       // groups whose Cluster document is not among them
	Problems  []cluster.Problem
}

// Err is nil for valid documents, else all that is wrong.
func (c *FilesCheck) Err() error { return cluster.Invalid(c.Problems) }

// CheckFiles holds documents against the schema and those of a cluster against
// each other, as a store would when they are created. A cluster's documents may
// lie in several files. Groups without their Cluster are checked by themselves.
func CheckFiles(texts []Text) *FilesCheck {
	c := &fileChecker{result: &FilesCheck{}, clusters: map[cluster.Name]*cluster.Source{}, groups: map[cluster.Name][]cluster.Source{}}
	for _, t := range texts {
		docs, problems := cluster.Parse(t.Name, t.Bytes)
		c.add(problems...)
		if len(docs) == 0 && len(problems) == 0 {
			c.add(cluster.Problem{File: t.Name, Message: "there is no document in it"})
		}
		for _, d := range docs {
			c.document(cluster.Source{File: t.Name, Document: d})
		}
	}
	c.finish()
	slices.SortStableFunc(c.result.Problems, byPlace)
	return c.result
}

func byPlace(p, q cluster.Problem) int {
	return cmp.Or(strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

type fileChecker struct {
	result   *FilesCheck
	clusters map[cluster.Name]*cluster.Source
	groups   map[cluster.Name][]cluster.Source
	loose    []cluster.Source // groups that do not say their cluster
}

// add keeps problems, each once.
func (c *fileChecker) add(problems ...cluster.Problem) {
	c.result.Problems = append(c.result.Problems, added(c.result.Problems, problems)...)
}

func (c *fileChecker) refuse(src cluster.Source, hint, message string, path ...string) {
	line, col := src.Document.Position(path...)
	c.add(cluster.Problem{File: src.File, Line: line, Col: col, Path: doc.PathString(path), Message: message, Hint: hint})
}

// document finds out what a document belongs to. What is no cluster or group is
// checked at once.
func (c *fileChecker) document(src cluster.Source) {
	c.result.Documents++
	d, kind := src.Document, text(src.Document, "kind")
	switch {
	case isKops(d) && kind == cluster.KindCluster:
		c.cluster(src)
	case isKops(d) && kind == cluster.KindInstanceGroup:
		c.group(src)
	case isKops(d):
		_, problems := cluster.CheckDocument(src.File, d)
		c.add(problems...)
	case isList(d):
		c.refuse(src, listHint, listProblem)
	case kind == "" || text(d, "apiVersion") == "":
		c.refuse(src, "", "a document without apiVersion and kind")
	case kind == "List":
		c.refuse(src, listHint, listProblem, "kind")
	}
}

func (c *fileChecker) cluster(src cluster.Source) {
	name, err := cluster.ParseName(text(src.Document, "metadata", "name"))
	if err != nil {
		_, problems := cluster.CheckDocument(src.File, src.Document)
		c.add(problems...)
		if v, _ := src.Document.Get("metadata", "name"); v == nil || text(src.Document, "metadata", "name") != "" {
			c.refuse(src, "", err.Error(), "metadata", "name")
		}
		return
	}
	if c.clusters[name] != nil {
		c.refuse(src, "", "cluster "+string(name)+" is there twice", "metadata", "name")
		return
	}
	c.clusters[name] = &src
	c.result.Clusters = append(c.result.Clusters, name)
}

func (c *fileChecker) group(src cluster.Source) {
	label := text(src.Document, "metadata", "labels", cluster.ClusterLabel)
	if label == "" {
		c.loose = append(c.loose, src)
		return
	}
	name, err := cluster.ParseName(label)
	if err != nil {
		c.refuse(src, "", err.Error(), "metadata", "labels", cluster.ClusterLabel)
	}
	c.groups[name] = append(c.groups[name], src)
}

// finish checks clusters with their groups, and the groups that are left.
func (c *fileChecker) finish() {
	if len(c.result.Clusters) == 1 {
		only := c.result.Clusters[0]
		c.groups[only], c.loose = append(c.groups[only], c.loose...), nil
	}
	for _, name := range c.result.Clusters {
		checked, err := cluster.Of(name, *c.clusters[name], c.distinct(c.groups[name])...)
		var invalid *cluster.InvalidError
		switch {
		case errors.As(err, &invalid):
			c.add(invalid.Problems...)
		case err == nil:
			c.add(checked.Validate()...)
		}
		delete(c.groups, name)
	}
	c.loose = c.distinct(c.loose)
	for _, groups := range c.groups {
		c.loose = append(c.loose, c.distinct(groups)...)
	}
	for _, src := range c.loose {
		c.add(cluster.ValidateGroup(src)...)
		c.result.Alone = append(c.result.Alone, text(src.Document, "metadata", "name"))
	}
	slices.Sort(c.result.Alone)
}

// distinct refuses groups of a cluster whose name another has.
func (c *fileChecker) distinct(groups []cluster.Source) []cluster.Source {
	seen := map[string]bool{}
	return slices.DeleteFunc(groups, func(src cluster.Source) bool {
		name := text(src.Document, "metadata", "name")
		twice := name != "" && seen[name]
		if seen[name] = true; twice {
			c.refuse(src, "", "instance group "+name+" is there twice", "metadata", "name")
		}
		return twice
	})
}
