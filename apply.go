package stateroom

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/store"
)

// Apply says what the documents of a manager are: of a program or a repository
// that keeps some fields of a cluster as its files have them, and leaves the
// others to others.
type Apply struct {
	Files   []Text
	Cluster cluster.Name // of documents that do not say it; empty: they must
	Manager string       // whose files these are; a DNS label

	Force bool // where somebody else set a field that the files list: the files win
	Adopt bool // where somebody else set a field that the files list: it stays as it is
	Prune bool // instance groups go that the manager applied before, and lists no more
}

// Text is a file as a person calls it, with what is in it.
type Text struct {
	Name  string
	Bytes []byte
}

// Applied is what became of one cluster.
type Applied struct {
	*Outcome
	Pruned []string // instance groups that went
	Left   []string // instance groups that the files list no more, and that stay
	Noted  []string // files of which the manager lists other fields than before: the commit notes it, the files may be as they were
}

// appliedDir holds, in records only, what each manager applied last:
// .stateroom/applied/{manager}/{file}.
const appliedDir = ".stateroom/applied/"

var managerName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ApplyFrom makes the fields that the documents list what they say, removes the
// fields that the manager applied before and lists no more, and leaves all
// others. A field that is listed and that somebody else has set to another
// value is a *ContestedError, and stops all of it. Each cluster gets one
// commit, and one that is not there is created.
func (s *Store) ApplyFrom(ctx context.Context, a Apply, w Write) ([]*Applied, error) {
	if !managerName.MatchString(a.Manager) {
		return nil, &ManagerNameError{a.Manager}
	}
	clusters, err := sortTexts(a.Files, a.Cluster)
	if err != nil {
		return nil, err
	}
	if len(clusters) > 1 {
		for _, n := range clusters { // all of it, or nothing
			if _, err := s.applyOne(ctx, n, a, Write{DryRun: true}); err != nil {
				return nil, err
			}
		}
	}
	var all []*Applied
	for _, n := range clusters {
		out, err := s.applyOne(ctx, n, a, w)
		if err != nil {
			return all, err
		}
		all = append(all, out)
	}
	return all, nil
}

// ManagerNameError says that no manager can have a name.
type ManagerNameError struct{ Name string }

func (e *ManagerNameError) Error() string { return fmt.Sprintf("manager %q: not a name", e.Name) }

// Is makes a ManagerNameError an fs.ErrInvalid.
func (e *ManagerNameError) Is(target error) bool { return target == fs.ErrInvalid }

// Hint says what a name is.
func (e *ManagerNameError) Hint() string {
	return "a manager's name has lower-case letters, digits and -, at most 63: --manager ci"
}

// sortTexts is sortInto for several files, whose documents belong together.
func sortTexts(files []Text, home cluster.Name) ([]*newDocuments, error) {
	if only := onlyNamed(files); only != "" {
		home = only
	}
	var all []*newDocuments
	var wrong []error
	for _, f := range files {
		clusters, err := sortInto(f.Name, f.Bytes, home)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		for _, n := range clusters {
			i := slices.IndexFunc(all, func(m *newDocuments) bool { return m.cluster == n.cluster })
			if i < 0 {
				all = append(all, n)
				continue
			}
			if err := all[i].join(n); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	return all, joined(wrong)
}

// joined is one error for all problems of all files.
func joined(errs []error) error {
	var problems []cluster.Problem
	var others []error
	for _, err := range errs {
		if invalid := new(cluster.InvalidError); errors.As(err, &invalid) {
			problems = append(problems, invalid.Problems...)
		} else {
			others = append(others, err)
		}
	}
	return errors.Join(append(others, cluster.Invalid(problems))...)
}

// onlyNamed is the only cluster whose document is in one of the files; "": none
// or several.
func onlyNamed(files []Text) cluster.Name {
	var only cluster.Name
	for _, f := range files {
		docs, err := doc.Parse(f.Bytes)
		if err != nil {
			continue // it is told when it is sorted
		}
		for _, d := range docs {
			if text(d, "kind") != cluster.KindCluster || !isKops(d) {
				continue
			}
			name, err := cluster.ParseName(text(d, "metadata", "name"))
			if err != nil || only != "" && only != name {
				return ""
			}
			only = name
		}
	}
	return only
}

// join takes the documents of another file in.
func (n *newDocuments) join(m *newDocuments) error {
	var problems []cluster.Problem
	for _, f := range m.files {
		there := n.file(f.Name)
		switch {
		case there == nil:
			n.files = append(n.files, f)
			n.from[f.Name], n.line[f.Name] = m.from[f.Name], m.line[f.Name]
			n.in(f.Name, m.text)
		case f.Name == cluster.AddonsFile:
			there.Bytes = append(append(there.Bytes, "---\n"...), f.Bytes...)
			n.addons = append(n.addons, m.addons...)
		default:
			problems = append(problems, cluster.Problem{File: m.text, Line: m.line[f.Name], Col: 1,
				Message: fmt.Sprintf("%s of cluster %s is in %s too", f.Name, n.cluster, n.textOf(f.Name))})
		}
	}
	return cluster.Invalid(problems)
}

func (s *Store) applyOne(ctx context.Context, n *newDocuments, a Apply, w Write) (*Applied, error) {
	var c *cluster.Cluster
	var left []cluster.Problem
	var ap *applying
	words := fmt.Sprintf("apply -f by %s: %s", a.Manager, strings.Join(n.names(), ", "))
	out, err := s.change(ctx, n.cluster, w, words, func(r *recorder) error {
		if n.file(cluster.ConfigFile) == nil && !r.exists(cluster.ConfigFile) {
			return noCluster(n.cluster)
		}
		_, before, err := inspectIfThere(ctx, r, n.cluster)
		if err != nil {
			return err
		}
		ap = &applying{Apply: a, n: n, r: r}
		if err := ap.run(ctx); err != nil {
			return err
		}
		if c, left, err = inspect(ctx, r, n.cluster); err != nil {
			return err
		}
		return cluster.Invalid(n.located(added(before, left)))
	})
	if contested := new(ContestedError); errors.As(err, &contested) {
		s.findOwners(ctx, contested)
		return nil, contested
	}
	if err != nil {
		return nil, err
	}
	out.Warnings = append(s.warnings(c), stillWrong(left)...)
	return &Applied{Outcome: out, Pruned: ap.pruned, Left: ap.left, Noted: ap.noted}, nil
}

// applying is one run of an apply on one state of a cluster.
type applying struct {
	Apply
	n            *newDocuments
	r            *recorder
	contested    []Contested
	pruned, left []string
	noted        []string
}

func (ap *applying) record(file string) string { return appliedDir + ap.Manager + "/" + file }

func (ap *applying) run(ctx context.Context) error {
	for _, f := range ap.n.files {
		if err := ap.file(ctx, f); err != nil {
			return err
		}
	}
	if len(ap.contested) > 0 {
		return &ContestedError{Cluster: ap.n.cluster, Manager: ap.Manager, Fields: ap.contested}
	}
	return ap.gone(ctx)
}

// file brings one file of the cluster to what the manager's document lists.
func (ap *applying) file(ctx context.Context, f cluster.File) error {
	last, err := ap.lastApplied(ctx, f.Name)
	if err != nil {
		return err
	}
	head, err := readNow(ctx, ap.r, f.Name)
	if err != nil {
		return err
	}
	now := f.Bytes
	if len(bytes.TrimSpace(head)) > 0 && isDocument(f.Name) {
		var contested []cluster.Conflict
		if now, contested, err = ap.merge(kindOf(f.Name), last, f.Bytes, head); err != nil {
			return fmt.Errorf("apply %s: %w", f.Name, err)
		}
		for _, c := range contested {
			ap.contested = append(ap.contested, Contested{Conflict: c, Cluster: ap.n.cluster, File: f.Name, Text: ap.n.textOf(f.Name), at: ap.lineOf(f, c)})
		}
	}
	if head == nil || !bytes.Equal(head, now) {
		ap.r.WriteFile(f.Name, now)
	}
	if isDocument(f.Name) && !bytes.Equal(last, f.Bytes) {
		ap.r.WriteFile(ap.record(f.Name), f.Bytes)
		ap.noted = append(ap.noted, f.Name)
	}
	return nil
}

// lastApplied is what the manager applied last to a file; nil: nothing yet.
func (ap *applying) lastApplied(ctx context.Context, file string) ([]byte, error) {
	return readBefore(ctx, ap.r.before(), ap.record(file))
}

// lineOf is the line of a contested field in the text that people gave.
func (ap *applying) lineOf(f cluster.File, c cluster.Conflict) int {
	docs, err := doc.Parse(f.Bytes)
	if err != nil || len(docs) != 1 || c.Path == "" {
		return ap.n.line[f.Name]
	}
	_, line := c.In(docs[0])
	return line + ap.n.from[f.Name]
}

// nothing is a document that lists no field.
var nothing = []byte("{}\n")

// merge brings the head to what mine lists. last is what the manager listed
// before, nil if it comes for the first time. What it lists and others set
// otherwise is contested; who wins then is decided by the caller's options.
func (ap *applying) merge(kind string, last, mine, head []byte) (now []byte, contested []cluster.Conflict, err error) {
	if sameMeaning(mine, head) && last == nil {
		return head, nil, nil
	}
	if last == nil {
		last = nothing
	}
	if !single(mine, head) { // several objects in a file: those that are told apart
		now, contested, err = cluster.MergeFile(kind, last, mine, head)
		return ap.decide(kind, now, contested, last, mine, head, err)
	}
	merged, conflicts, err := cluster.MergeFile(kind, last, mine, head)
	if err != nil {
		return nil, nil, err
	}
	// A field that is listed as before, and that somebody else has changed
	// since, is no conflict of the merge, but it is one here.
	_, claimed, err := cluster.MergeFile(kind, nothing, mine, merged)
	if err != nil {
		return nil, nil, err
	}
	return ap.decide(kind, merged, append(conflicts, claimed...), last, mine, head, nil)
}

// decide returns the text for what was merged and who wins.
func (ap *applying) decide(kind string, merged []byte, conflicts []cluster.Conflict, last, mine, head []byte, err error) ([]byte, []cluster.Conflict, error) {
	if err != nil {
		return nil, nil, err
	}
	// What is not listed any more and was changed by somebody else stays: it is theirs.
	listed := slices.DeleteFunc(slices.Clone(conflicts), func(c cluster.Conflict) bool { return !c.Ours.Present })
	switch {
	case len(listed) > 0 && !ap.Force && !ap.Adopt:
		return head, listed, nil
	case ap.Force:
		now, _, err := cluster.MergeFile(kind, nothing, mine, merged)
		return now, nil, err
	case len(conflicts) > 0:
		if merged, _, err = cluster.MergeFile(kind, last, head, mine); err != nil || ap.Adopt {
			return merged, nil, err
		}
	}
	if !single(mine, head) {
		return merged, nil, nil
	}
	now, _, err := cluster.MergeFile(kind, nothing, mine, merged) // what somebody removed comes back
	if err == nil && sameMeaning(now, merged) {
		now = merged
	}
	return now, nil, err
}

// single reports whether both texts hold one document.
func single(a, b []byte) bool {
	x, err := doc.Parse(a)
	y, err2 := doc.Parse(b)
	return err == nil && err2 == nil && len(x) == 1 && len(y) == 1
}

// sameMeaning reports whether two texts of one document say the same.
func sameMeaning(a, b []byte) bool {
	x, err := doc.Parse(a)
	y, err2 := doc.Parse(b)
	if err != nil || err2 != nil || len(x) != 1 || len(y) != 1 {
		return false
	}
	v, _ := x[0].Get()
	w, _ := y[0].Get()
	return reflect.DeepEqual(v, w)
}

// gone sees to the instance groups that the manager applied before and lists no
// more.
func (ap *applying) gone(ctx context.Context) error {
	prefix := ap.record(cluster.GroupDir + "/")
	for _, name := range slices.Sorted(maps.Keys(ap.r.before().Commit().Files)) {
		group, ok := strings.CutPrefix(name, prefix)
		file := cluster.GroupFile(group)
		if !ok || ap.n.file(file) != nil {
			continue
		}
		switch there := ap.r.exists(file); {
		case there && ap.Prune:
			ap.pruned = append(ap.pruned, group)
			ap.r.Remove(file)
			ap.r.Remove(name)
		case there:
			ap.left = append(ap.left, group)
		default:
			ap.r.Remove(name)
		}
	}
	return ctx.Err()
}

// Contested is a field that a manager lists and that somebody else has set.
type Contested struct {
	cluster.Conflict // Ours is the manager's, Theirs the cluster's

	Cluster cluster.Name
	File    string // of the cluster
	Text    string // what the person gave
	Owner   string // who set it: "manager ci", or "Ada (commit 7: more requests)"; empty: not known

	at int // line in Text
}

func (c *Contested) String() string {
	path := cmp.Or(c.Path, "the whole document")
	who := ""
	if c.Owner != "" {
		who = " by " + c.Owner
	}
	return fmt.Sprintf("%s:%d: %s: the file has %s; in the cluster it was set to %s%s", c.Text, c.at, path, c.Ours, c.Theirs, who)
}

// ContestedError says which fields a manager and somebody else want otherwise.
// Nothing was changed.
type ContestedError struct {
	Cluster cluster.Name
	Manager string
	Fields  []Contested
}

func (e *ContestedError) Error() string {
	lines := []string{fmt.Sprintf("apply to %s by %s: others have set what the files list; nothing was changed", e.Cluster, e.Manager)}
	for i := range e.Fields {
		lines = append(lines, e.Fields[i].String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns store.ErrConflict.
func (e *ContestedError) Unwrap() error { return store.ErrConflict }

// Hint says how it is settled.
func (e *ContestedError) Hint() string {
	return "--force-conflicts: the files win; --adopt: the cluster's values stay; or take the fields out of the files, which leaves them to others"
}

// findOwners says of each contested field who set it. It is for people: where
// it cannot be read, nobody is named.
func (s *Store) findOwners(ctx context.Context, e *ContestedError) {
	head, err := s.headOf(ctx, e.Cluster)
	if err != nil {
		return
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		if manager := otherManager(ctx, head, f, e.Manager); manager != "" {
			f.Owner = "manager " + manager
			continue
		}
		d := documentOf(ctx, head, f.File)
		if d == nil || f.Path == "" {
			continue
		}
		_, line := f.In(d)
		lines, err := s.Blame(ctx, e.Cluster, f.File)
		if err == nil && line >= 1 && line <= len(lines) {
			c := lines[line-1].Commit
			message, _, _ := strings.Cut(c.Message, "\n")
			f.Owner = fmt.Sprintf("%s (commit %d: %s)", strings.TrimSpace(strings.Split(c.Author, "<")[0]), c.Number, message)
		}
	}
}

// otherManager is one that lists the field with the value that it has.
func otherManager(ctx context.Context, head *store.Snapshot, f *Contested, but string) string {
	for _, manager := range managersOf(head, f.File) {
		d := documentOf(ctx, head, appliedDir+manager+"/"+f.File)
		if manager == but || d == nil {
			continue
		}
		if side, _ := f.In(d); side.Present && side.Same(f.Theirs) {
			return manager
		}
	}
	return ""
}

// managersOf are the managers that have applied a file.
func managersOf(sn *store.Snapshot, file string) []string {
	var all []string
	for name := range sn.Commit().Files {
		inner, ok := strings.CutPrefix(name, appliedDir)
		if manager, of, found := strings.Cut(inner, "/"); ok && found && of == file {
			all = append(all, manager)
		}
	}
	slices.Sort(all)
	return all
}

// documentOf reads the one document of a file; nil: it cannot be read, or is
// not one.
func documentOf(ctx context.Context, sn *store.Snapshot, file string) *doc.Document {
	b, err := readBefore(ctx, sn, file)
	if err != nil || b == nil {
		return nil
	}
	docs, err := doc.Parse(b)
	if err != nil || len(docs) != 1 {
		return nil
	}
	return docs[0]
}
