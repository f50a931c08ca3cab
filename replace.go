package stateroom

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// Replace says what is to stand in the store instead of what is there: whole
// documents, of the kinds that CreateFrom reads.
type Replace struct {
	File    string // as the person calls it, for messages
	Text    []byte
	Cluster cluster.Name // of documents that do not say it; empty: they must
	Only    bool         // refuse documents of any other cluster
	Force   bool         // create what is not there
}

// ReplaceFrom puts the documents of a file in the place of those in the store.
// The documents of a cluster become one commit. Of add-ons, those of the same
// kind and name are replaced. What the file does not name stays: nothing is ever
// deleted. What is not there is an *AbsentError, and stops all of it.
func (s *Store) ReplaceFrom(ctx context.Context, rp Replace, w Write) ([]*Outcome, error) {
	clusters, err := sortInto(rp.File, rp.Text, rp.Cluster)
	if err != nil {
		return nil, err
	}
	if err := rp.check(clusters); err != nil {
		return nil, err
	}
	for _, n := range clusters[min(1, len(clusters)):] {
		// As CreateFrom: all of the file, or nothing.
		if _, err := s.replaceOne(ctx, n, rp, Write{DryRun: true}); err != nil {
			return nil, err
		}
	}
	var all []*Outcome
	for _, n := range clusters {
		out, err := s.replaceOne(ctx, n, rp, w)
		if err != nil {
			return all, err
		}
		all = append(all, out)
	}
	return all, nil
}

// check refuses documents of a cluster that is not meant, and add-ons that are
// there twice: which of the two would count?
func (rp Replace) check(clusters []*newDocuments) error {
	var problems []cluster.Problem
	wrong := func(line int, format string, args ...any) {
		problems = append(problems, cluster.Problem{File: rp.File, Line: line, Col: 1, Message: fmt.Sprintf(format, args...)})
	}
	for _, n := range clusters {
		if rp.Only && n.cluster != rp.Cluster {
			wrong(slices.Min(slices.Collect(maps.Values(n.line))), "it belongs to cluster %s, and what is meant is %s", n.cluster, rp.Cluster)
		}
		for i, a := range n.addons {
			if slices.ContainsFunc(n.addons[:i], func(b addon) bool { return b.is(a.document) }) {
				wrong(a.line, "add-on %s of cluster %s is there twice", a, n.cluster)
			}
		}
	}
	return cluster.Invalid(problems)
}

func (s *Store) replaceOne(ctx context.Context, n *newDocuments, rp Replace, w Write) (*Outcome, error) {
	var c *cluster.Cluster
	var left []cluster.Problem
	out, err := s.change(ctx, n.cluster, w, "replace -f: "+strings.Join(n.names(), ", "), func(r *recorder) error {
		if n.file(cluster.ConfigFile) == nil && !r.exists(cluster.ConfigFile) {
			return noCluster(n.cluster)
		}
		_, before, err := inspectIfThere(ctx, r, n.cluster)
		if err != nil {
			return err
		}
		absent, err := n.putInto(ctx, r, rp.Force)
		if err != nil {
			return err
		}
		if absent != nil {
			return absent
		}
		if c, left, err = inspect(ctx, r, n.cluster); err != nil {
			return err
		}
		return cluster.Invalid(n.located(added(before, left)))
	})
	if err != nil {
		return nil, err
	}
	out.Warnings = append(s.warnings(c), stillWrong(left)...)
	return out, nil
}

// putInto writes the documents whose text is another than what stands there. It
// returns those that have nothing to replace.
func (n *newDocuments) putInto(ctx context.Context, r *recorder, force bool) (*AbsentError, error) {
	absent := &AbsentError{}
	for _, f := range n.files {
		text := f.Bytes
		there := r.exists(f.Name)
		var old []byte
		if there {
			var err error
			if old, err = r.ReadFile(ctx, f.Name); err != nil {
				return nil, err
			}
		}
		if f.Name == cluster.AddonsFile {
			var missing []addon
			text, missing = replaceAddons(old, n.addons)
			for _, a := range missing {
				absent.add(n.text, a.line, "add-on "+a.String())
			}
		} else if !there {
			absent.add(n.text, n.line[f.Name], describe(n.cluster, f.Name))
		}
		if !there || !sameDocument(old, text) {
			r.WriteFile(f.Name, text)
		}
	}
	if force || len(absent.Lines) == 0 {
		return nil, nil
	}
	return absent, nil
}

// describe names what a file of a cluster is.
func describe(name cluster.Name, file string) string {
	switch group, isGroup := strings.CutPrefix(file, cluster.GroupDir+"/"); {
	case file == cluster.ConfigFile:
		return "cluster " + string(name)
	case isGroup:
		return fmt.Sprintf("instance group %q of %s", group, name)
	}
	return fmt.Sprintf("%s of %s", file, name)
}

// sameDocument reports whether a text says nothing else than what stands there:
// the same bytes, but for blank lines around them; or the same in JSON, which
// has no comments that could be new.
func sameDocument(old, text []byte) bool {
	if bytes.Equal(old, text) {
		return true
	}
	was, err := doc.Parse(old)
	if err != nil || len(was) != 1 {
		return false
	}
	now, err := doc.Parse(text)
	if err != nil || len(now) != 1 {
		return false
	}
	if bytes.Equal(plain(was[0]), plain(now[0])) {
		return true
	}
	a, _ := was[0].Get()
	b, _ := now[0].Get()
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && reflect.DeepEqual(a, b)
}

// addon is an object that a file adds to a cluster.
type addon struct {
	document *doc.Document
	line     int // in the text that people gave
}

// String is the kind and name, which tell one object from another.
func (a addon) String() string {
	words := []string{text(a.document, "kind"), text(a.document, "metadata", "namespace"), text(a.document, "metadata", "name")}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), "/")
}

// is reports whether two objects are the same one. The version of the API may
// change; its group does not.
func (a addon) is(d *doc.Document) bool {
	group := func(d *doc.Document) string {
		g, _, ok := strings.Cut(text(d, "apiVersion"), "/")
		if !ok {
			return ""
		}
		return g
	}
	for _, path := range [][]string{{"kind"}, {"metadata", "namespace"}, {"metadata", "name"}} {
		if text(a.document, path...) != text(d, path...) {
			return false
		}
	}
	return group(a.document) == group(d)
}

// replaceAddons puts objects in the place of those of the same kind and name.
// The ones that are not there come at the end. No other byte changes.
func replaceAddons(old []byte, objects []addon) (now []byte, missing []addon) {
	docs, err := doc.Parse(old)
	if err != nil {
		docs = nil // what cannot be read names nothing
	}
	texts := make([][]byte, len(docs))
	for i, d := range docs {
		texts[i] = d.Bytes()
	}
	var rest [][]byte
	for _, a := range objects {
		i := slices.IndexFunc(docs, a.is)
		if i < 0 {
			missing = append(missing, a)
			rest = append(rest, plain(a.document))
			continue
		}
		if was := plain(docs[i]); !bytes.Equal(was, plain(a.document)) {
			texts[i] = bytes.Replace(texts[i], bytes.TrimRight(was, "\n"), bytes.TrimRight(plain(a.document), "\n"), 1)
		}
	}
	if len(docs) == 0 {
		now = old
	}
	now = append(slices.Clone(now), bytes.Join(texts, nil)...)
	for _, b := range rest {
		if len(bytes.TrimSpace(now)) > 0 {
			if now[len(now)-1] != '\n' {
				now = append(now, '\n')
			}
			now = append(now, "---\n"...)
		}
		now = append(now, b...)
	}
	return now, missing
}

// AbsentError says that there is nothing to replace.
type AbsentError struct{ Lines []string }

func (e *AbsentError) add(file string, line int, what string) {
	e.Lines = append(e.Lines, fmt.Sprintf("%s:%d:1: %s: not found", file, line, what))
}

func (e *AbsentError) Error() string { return strings.Join(e.Lines, "\n") }

// Is makes an AbsentError an fs.ErrNotExist.
func (e *AbsentError) Is(target error) bool { return target == fs.ErrNotExist }

// Hint says how it is made.
func (e *AbsentError) Hint() string { return "with --force, replace creates what is not there" }
