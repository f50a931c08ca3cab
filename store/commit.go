package store

import (
	"slices"
	"strings"
	"time"
)

// Kind says what a commit is.
type Kind string

// The kinds of commits; docs/formats/log-record.md.
const (
	Change   Kind = "change"
	Import   Kind = "import"   // foreign edits taken in
	Conflict Kind = "conflict" // foreign bytes kept, then ours again
	Released Kind = "release"  // a change that carries a release
	Deleted  Kind = "deleted"
	Sealed   Kind = "sealed"
	Moved    Kind = "moved"
	Reopened Kind = "reopened"
	Void     Kind = "void"

	Published Kind = "published" // a draft ends: the cluster has it
	Dropped   Kind = "dropped"   // a draft ends: nobody has it
)

// commits returns how many commit commands a record of this kind has; -1: no
// such kind.
func (k Kind) commits() int {
	switch k {
	case Change, Import, Released, Deleted, Published, Dropped:
		return 1
	case Conflict:
		return 2
	case Sealed, Moved, Reopened, Void:
		return 0
	}
	return -1
}

// File is what a commit says of one file.
type File struct {
	Digest Digest
	Size   int64
	Record int // the number of the commit that holds its bytes
}

// Commit is one state of a cluster as its record describes it. Number 0 is no
// commit: plain files that no history describes yet.
type Commit struct {
	Number      int
	Digest      Digest // of the record; the next one names it as its parent
	Parent      Digest
	LineageID   string // ID of the cluster's life; a cluster created again has another
	Cluster     string
	Transaction string
	Kind        Kind
	Time        time.Time
	Author      string          // "Ada <ada@example.com>"
	Message     string          // without a line feed at its end
	Files       map[string]File // by name, hidden ones included; do not write
	Changed     []Changed       // by name
	Foreign     *Part           // of a conflict: what it keeps
}

// Changed is one file that a commit wrote or deleted.
type Changed struct {
	Action Action
	Name   string
}

// Action is what became of a file: A(dded), M(odified), D(eleted).
type Action byte

// The actions, in git's letters.
const (
	Added    Action = 'A'
	Modified Action = 'M'
	Removed  Action = 'D'
)

func (a Action) String() string { return string(a) }

// Part is the foreign half of a conflict.
type Part struct {
	Time    time.Time
	Message string
	Changed []Changed
}

func (r *record) commit() *Commit {
	c := &Commit{
		Number: r.Number, Digest: r.Digest, Parent: r.Parent, LineageID: r.ClusterID, Cluster: r.Cluster,
		Transaction: r.Transaction, Kind: r.Kind, Files: r.Files,
	}
	if len(r.Parts) == 0 {
		return c
	}
	last := r.Parts[len(r.Parts)-1]
	c.Time, c.Author, c.Message = last.time(), last.author(), strings.TrimSuffix(last.Message, "\n")
	if len(r.Parts) == 1 {
		c.Changed = last.changed(r.Was)
		return c
	}
	first := r.Parts[0]
	c.Foreign = &Part{first.time(), strings.TrimSuffix(first.Message, "\n"), first.changed(nil)}
	c.Changed = last.changed(r.Was)
	return c
}

func (p *part) time() time.Time { return time.Unix(p.Seconds, 0).UTC() }

func (p *part) author() string { return p.Name + " <" + p.Mail + ">" }

// changed lists what p does, given what the files held before.
func (p *part) changed(was map[string]Digest) []Changed {
	var list []Changed
	for _, name := range p.Deletes {
		list = append(list, Changed{Removed, name})
	}
	for _, w := range p.Writes {
		action := Modified
		if d, ok := was[w.Name]; ok && d == absent {
			action = Added
		}
		list = append(list, Changed{action, w.Name})
	}
	slices.SortFunc(list, func(a, b Changed) int { return strings.Compare(a.Name, b.Name) })
	return list
}
