package stateroom

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// clusterLabel says which cluster a document belongs to, where it is no Cluster
// itself.
const clusterLabel = "kops.k8s.io/cluster"

// sortDocuments finds out to which cluster and file each document of a text
// belongs. All that is wrong is told at once, with its line in the text.
func sortDocuments(file string, src []byte) ([]*newDocuments, error) {
	docs, err := doc.Parse(src)
	if err != nil {
		_, problems := cluster.Check(file, src)
		return nil, errors.Join(cluster.Invalid(problems), noProblem(problems, err))
	}
	s := &sorter{file: file}
	for _, d := range docs {
		s.findCluster(d)
	}
	for _, d := range docs {
		s.place(d)
	}
	if len(docs) == 0 {
		s.refuse(nil, "there is no document in it")
	}
	return s.clusters, cluster.Invalid(s.problems)
}

// noProblem keeps an error that became no problem.
func noProblem(problems []cluster.Problem, err error) error {
	if len(problems) > 0 {
		return nil
	}
	return err
}

type sorter struct {
	file     string
	clusters []*newDocuments
	problems []cluster.Problem
}

func (s *sorter) refuse(d *doc.Document, format string, args ...any) {
	p := cluster.Problem{File: s.file, Message: fmt.Sprintf(format, args...)}
	if d != nil {
		p.Line, p.Col = d.Position()
	}
	s.problems = append(s.problems, p)
}

// of returns what is made for a cluster, in the order of the text.
func (s *sorter) of(name cluster.Name) *newDocuments {
	for _, c := range s.clusters {
		if c.cluster == name {
			return c
		}
	}
	c := &newDocuments{cluster: name}
	s.clusters = append(s.clusters, c)
	return c
}

func (s *sorter) findCluster(d *doc.Document) {
	if text(d, "kind") != cluster.KindCluster || !isKops(d) {
		return
	}
	name, err := cluster.ParseName(text(d, "metadata", "name"))
	if err != nil {
		s.refuse(d, "%v", err)
		return
	}
	c := s.of(name)
	s.add(c, d, cluster.ConfigFile, plain(d))
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
	case isKops(d):
		s.refuse(d, "a document of kind %q cannot be created from a file", kind)
	case kind == "" || text(d, "apiVersion") == "":
		s.refuse(d, "a document without apiVersion and kind")
	default:
		s.placeAddon(d)
	}
}

// owner is the cluster that a document belongs to: the one its label names, or
// the only one of the file.
func (s *sorter) owner(d *doc.Document) *newDocuments {
	if label := text(d, "metadata", "labels", clusterLabel); label != "" {
		name, err := cluster.ParseName(label)
		if err != nil {
			s.refuse(d, "label %s: %v", clusterLabel, err)
			return nil
		}
		return s.of(name)
	}
	if len(s.clusters) != 1 {
		s.refuse(d, "it does not say which cluster it belongs to: label %s", clusterLabel)
		return nil
	}
	return s.clusters[0]
}

func (s *sorter) placeGroup(d *doc.Document) {
	name, err := cluster.ParseGroupName(text(d, "metadata", "name"))
	if err != nil {
		s.refuse(d, "%v", err)
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
		s.refuse(d, "spec.publicKey: %v", err)
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
}

// plain is the text of a document by itself: without the line that parted it
// from the one before.
func plain(d *doc.Document) []byte {
	b := bytes.TrimLeft(d.Bytes(), "\r\n")
	if line, rest, ok := bytes.Cut(b, []byte("\n")); ok && string(bytes.TrimSpace(line)) == "---" {
		b = rest
	}
	b = bytes.TrimLeft(b, "\r\n")
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return b
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
