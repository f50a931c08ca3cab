package stateroom

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// sortDocuments finds out to which cluster and file each document of a text
// belongs. All that is wrong is told at once, with its line in the text.
func sortDocuments(file string, src []byte) ([]*newDocuments, error) {
	clusters, err := sortInto(file, src, "")
	var invalid *cluster.InvalidError
	if errors.As(err, &invalid) { // tell all at once, what is wrong between documents too
		more := CheckFiles([]Text{{file, src}}).Problems
		invalid.Problems = append(invalid.Problems, added(invalid.Problems, more)...)
		slices.SortStableFunc(invalid.Problems, byPlace)
	}
	return clusters, err
}

// sortInto is sortDocuments, where documents that do not say their cluster
// belong to home, if it is given and the text holds no cluster.
func sortInto(file string, src []byte, home cluster.Name) ([]*newDocuments, error) {
	docs, problems := cluster.Parse(file, src)
	if len(docs) == 0 && len(problems) > 0 {
		return nil, cluster.Invalid(problems)
	}
	s := &sorter{file: file, problems: problems}
	for _, d := range docs {
		s.findCluster(d)
	}
	if len(s.clusters) == 0 {
		s.home = home
	}
	for _, d := range docs {
		s.place(d)
	}
	if len(docs) == 0 {
		s.refuse(nil, "there is no document in it")
	}
	return s.clusters, cluster.Invalid(s.problems)
}

type sorter struct {
	file     string
	home     cluster.Name // of documents that do not say theirs; may be empty
	clusters []*newDocuments
	problems []cluster.Problem
}

func (s *sorter) refuse(d *doc.Document, format string, args ...any) {
	s.problems = append(s.problems, s.problem(d, nil, fmt.Sprintf(format, args...)))
}

// problem is one with a field of a document, or with all of it.
func (s *sorter) problem(d *doc.Document, path []string, message string) cluster.Problem {
	p := cluster.Problem{File: s.file, Path: doc.PathString(path), Message: message}
	if d != nil {
		p.Line, p.Col = d.Position(path...)
	}
	return p
}

// badName refuses what stands at a path and should be a name. A value that is
// no text at all is told by the check of types.
func (s *sorter) badName(d *doc.Document, err error, path ...string) {
	if v, there := d.Get(path...); there && v != nil {
		if _, isText := v.(string); !isText {
			return
		}
	}
	s.problems = append(s.problems, s.problem(d, path, err.Error()))
}

// of returns what is made for a cluster, in the order of the text.
func (s *sorter) of(name cluster.Name) *newDocuments {
	for _, c := range s.clusters {
		if c.cluster == name {
			return c
		}
	}
	c := &newDocuments{cluster: name, text: s.file, from: map[string]int{}, line: map[string]int{}}
	s.clusters = append(s.clusters, c)
	return c
}

func (s *sorter) findCluster(d *doc.Document) {
	if text(d, "kind") != cluster.KindCluster || !isKops(d) {
		return
	}
	name, err := cluster.ParseName(text(d, "metadata", "name"))
	if err != nil {
		s.badName(d, err, "metadata", "name")
		return
	}
	c := s.of(name)
	s.add(c, d, cluster.ConfigFile, plain(d))
}

// isList says whether a document is a list, and no object.
func isList(d *doc.Document) bool {
	v, _ := d.Get()
	_, is := v.([]any)
	return is
}

func isKops(d *doc.Document) bool {
	version := text(d, "apiVersion")
	return strings.HasPrefix(version, "kops.k8s.io/") || strings.HasPrefix(version, "kops/")
}

func text(d *doc.Document, path ...string) string {
	v, _ := d.Get(path...)
	s, _ := v.(string)
	return s
}

// place gives a document its file; Clusters have theirs.
func (s *sorter) place(d *doc.Document) {
	kind := text(d, "kind")
	if isKops(d) {
		_, problems := cluster.CheckDocument(s.file, d)
		s.problems = append(s.problems, problems...)
	}
	switch {
	case isKops(d) && kind == cluster.KindCluster:
	case isKops(d) && kind == cluster.KindInstanceGroup:
		s.placeGroup(d)
	case isKops(d) && kind == cluster.KindSSHCredential:
		s.placeKey(d)
	case isKops(d) && !slices.Contains(cluster.Kinds(), kind): // the check has said it
	case isKops(d):
		s.refuse(d, "a document of kind %q cannot be created from a file", kind)
	case isList(d):
		p := s.problem(d, nil, listProblem)
		p.Hint = listHint
		s.problems = append(s.problems, p)
	case kind == "" || text(d, "apiVersion") == "":
		s.refuse(d, "a document without apiVersion and kind")
	case kind == "List":
		p := s.problem(d, []string{"kind"}, listProblem)
		p.Hint = listHint
		s.problems = append(s.problems, p)
	default:
		s.placeAddon(d)
	}
}

// What is said of a List.
const (
	listProblem = "a List holds other documents, which would not be seen"
	listHint    = "write its items as documents of their own, parted by lines \"---\""
)

// owner is the cluster that a document belongs to: the one its label names, or
// the only one of the file.
func (s *sorter) owner(d *doc.Document) *newDocuments {
	if label := text(d, "metadata", "labels", cluster.ClusterLabel); label != "" {
		name, err := cluster.ParseName(label)
		if err != nil {
			s.badName(d, err, "metadata", "labels", cluster.ClusterLabel)
			return nil
		}
		return s.of(name)
	}
	if s.home != "" {
		return s.of(s.home)
	}
	if len(s.clusters) != 1 {
		s.refuse(d, "it does not say which cluster it belongs to: label %s", cluster.ClusterLabel)
		return nil
	}
	return s.clusters[0]
}

func (s *sorter) placeGroup(d *doc.Document) {
	name, err := cluster.ParseGroupName(text(d, "metadata", "name"))
	if err != nil {
		s.badName(d, err, "metadata", "name")
		return
	}
	if c := s.owner(d); c != nil {
		s.add(c, d, cluster.GroupFile(name), plain(d))
	}
}

func (s *sorter) placeKey(d *doc.Document) {
	key := strings.TrimSpace(text(d, "spec", "publicKey"))
	print, err := fingerprint(key)
	if err != nil {
		s.badName(d, err, "spec", "publicKey")
		return
	}
	if c := s.owner(d); c != nil {
		s.add(c, d, sshKeyDir+print, []byte(key+"\n"))
	}
}

// placeAddon adds an object to the cluster's own add-ons.
func (s *sorter) placeAddon(d *doc.Document) {
	c := s.owner(d)
	if c == nil {
		return
	}
	line, _ := d.Position()
	c.addons = append(c.addons, addon{d, line})
	if f := c.file(cluster.AddonsFile); f != nil {
		f.Bytes = append(append(f.Bytes, "---\n"...), plain(d)...)
		return
	}
	s.add(c, d, cluster.AddonsFile, plain(d))
}

func (s *sorter) add(c *newDocuments, d *doc.Document, name string, b []byte) {
	if c.file(name) != nil {
		s.refuse(d, "%s of cluster %s is there twice", name, c.cluster)
		return
	}
	c.files = append(c.files, cluster.File{Name: name, Bytes: b})
	c.from[name] = s.linesBefore(d, b)
	c.line[name], _ = d.Position()
}

// linesBefore counts the lines of the text before the one that a document's
// own file begins with.
func (s *sorter) linesBefore(d *doc.Document, b []byte) int {
	alone, err := doc.Parse(b)
	if err != nil || len(alone) != 1 {
		return 0
	}
	line, _ := d.Position()
	own, _ := alone[0].Position()
	return line - own
}

// plain is the text of a document by itself: without the line that parted it
// from the one before.
func plain(d *doc.Document) []byte {
	b := bytes.TrimLeft(d.Bytes(), "\r\n")
	if object := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("--- ")), " "); len(object) > 0 && object[0] == '{' {
		b = object // an element of a list in JSON
	}
	if line, rest, ok := bytes.Cut(b, []byte("\n")); ok && string(bytes.TrimSpace(line)) == "---" {
		b = rest
	}
	b = bytes.TrimLeft(b, "\r\n")
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return withoutEnd(b)
}

// withoutEnd drops the blank lines behind a document, which part it from the
// next; not those that belong to a text in it (|+).
func withoutEnd(b []byte) []byte {
	end := len(bytes.TrimRight(b, "\r\n"))
	if bytes.HasPrefix(b[end:], []byte("\r\n")) {
		end++
	}
	end++
	if end >= len(b) {
		return b
	}
	whole, err := doc.Parse(b)
	short, err2 := doc.Parse(b[:end])
	if err != nil || err2 != nil || len(whole) != 1 || len(short) != 1 {
		return b
	}
	v, _ := whole[0].Get()
	w, _ := short[0].Get()
	if !reflect.DeepEqual(v, w) {
		return b
	}
	return b[:end:end]
}

// fingerprint is the name that kops gives the file of an SSH key: the MD5 of
// its bytes in hex, without colons.
func fingerprint(line string) (string, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 || strings.Contains(line, "\n") {
		return "", errors.New("it is not one line as ssh-keygen writes to a .pub file")
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(blob) == 0 {
		return "", errors.New("its second word is not base64")
	}
	sum := md5.Sum(blob) // an established name, not a safeguard
	return hex.EncodeToString(sum[:]), nil
}
