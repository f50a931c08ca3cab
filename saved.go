package stateroom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/plan"
	"github.com/stateroom/stateroom/store"
)

// SavedPlan is a plan kept in a file, to be looked at now and done later: it is
// good for the state of the cluster that it was made on, and no other. The
// format is docs/formats/plan.md.
type SavedPlan struct {
	Format    int           `json:"format"`
	Store     string        `json:"store"` // its id
	Cluster   cluster.Name  `json:"cluster"`
	LineageID string        `json:"lineageID"`
	Commit    int           `json:"commit"` // that goes live
	Digest    store.Digest  `json:"digest"` // of its record
	Released  int           `json:"released"`
	Made      time.Time     `json:"made"`
	Author    string        `json:"author"`
	Keysets   []string      `json:"keysets"`
	Changes   []PlanChange  `json:"changes"`
	Ignored   []PlanIgnored `json:"ignored"`
	Notes     []string      `json:"notes"`
}

// PlanChange and PlanIgnored are what a plan says, as programs read it.
type PlanChange struct {
	Group  string `json:"group,omitempty"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Action string `json:"action"`
	Effect string `json:"effect"`
	Why    string `json:"why"`
	Text   string `json:"text,omitempty"`
}

// PlanIgnored is a field that has no effect.
type PlanIgnored struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Path  string `json:"path"`
	Why   string `json:"why"`
	Usual bool   `json:"usual"`
}

const (
	planFormat = 1

	// MaxSavedPlan is the most bytes that a saved plan has.
	MaxSavedPlan = 16 << 20
)

// ChangesForPrograms are the changes of a plan as programs read them.
func (u *Update) ChangesForPrograms() []PlanChange {
	all := []PlanChange{}
	for _, c := range u.Changes {
		all = append(all, PlanChange{c.Group, string(c.Kind), c.Name, string(c.Action), string(c.Effect), c.Why, c.Text})
	}
	return all
}

// IgnoredForPrograms are the ignored fields of a plan as programs read them.
func (u *Update) IgnoredForPrograms() []PlanIgnored {
	all := []PlanIgnored{}
	for _, i := range u.Ignored {
		all = append(all, PlanIgnored{i.File, i.Line, i.Path, i.Why, i.Usual})
	}
	return all
}

// Save returns the text of a plan that was just made, to be kept in a file. A
// plan of a draft cannot be kept: it is of a state that is not there yet.
func (s *Store) Save(u *Update) ([]byte, error) {
	if u.Draft != "" {
		return nil, fmt.Errorf("save the plan of draft %s: it can be done only when the draft is published: %w", u.Draft, errors.ErrUnsupported)
	}
	b, err := json.MarshalIndent(SavedPlan{
		Format: planFormat, Store: s.store.ID(), Cluster: u.Cluster, LineageID: u.lineage, Commit: u.Head, Digest: u.digest,
		Released: u.Released, Made: s.opt.Now().UTC().Truncate(time.Second), Author: s.opt.Author,
		Keysets: append([]string{}, u.Keysets...), Changes: u.ChangesForPrograms(), Ignored: u.IgnoredForPrograms(),
		Notes: append([]string{}, u.Notes...),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("save the plan of %s: %w", u.Cluster, err)
	}
	return append(b, '\n'), nil
}

// ParseSavedPlan reads what Save made.
func ParseSavedPlan(b []byte) (*SavedPlan, error) {
	if len(b) > MaxSavedPlan {
		return nil, fmt.Errorf("saved plan of %d bytes: %w", len(b), fs.ErrInvalid)
	}
	var form struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &form); err != nil || form.Format < 1 {
		return nil, &SavedPlanError{}
	}
	if form.Format != planFormat {
		return nil, &store.FormatError{What: "the plan", Format: form.Format, Reads: planFormat}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := &SavedPlan{}
	err := d.Decode(p)
	if err == nil {
		_, err = cluster.ParseName(string(p.Cluster))
	}
	if _, more := d.Token(); err == nil && more != io.EOF {
		err = errors.New("more after its end")
	}
	if err == nil && (p.Commit < 1 || p.Released < 0 || p.Digest == "" || p.LineageID == "") {
		err = errors.New("it does not say what it is of")
	}
	if err != nil {
		return nil, &SavedPlanError{Why: err.Error()}
	}
	return p, nil
}

// SavedPlanError says that a text is no saved plan.
type SavedPlanError struct {
	Why string // where it nearly is one
}

func (e *SavedPlanError) Error() string {
	if e.Why == "" {
		return "not a saved plan"
	}
	return "not a saved plan: " + e.Why
}

// Is makes a SavedPlanError an fs.ErrInvalid.
func (e *SavedPlanError) Is(target error) bool { return target == fs.ErrInvalid }

// Hint says how one is made.
func (e *SavedPlanError) Hint() string { return "stateroom update cluster --out FILE makes one" }

// Update is the plan as it was shown when it was saved.
func (p *SavedPlan) Update() *Update {
	u := &Update{Cluster: p.Cluster, Head: p.Commit, Released: p.Released, Keysets: p.Keysets, Notes: p.Notes}
	for _, c := range p.Changes {
		u.Changes = append(u.Changes, plan.Change{
			Group: c.Group, Kind: plan.Kind(c.Kind), Name: c.Name, Action: plan.Action(c.Action),
			Effect: plan.Effect(c.Effect), Why: c.Why, Text: c.Text,
		})
	}
	for _, i := range p.Ignored {
		u.Ignored = append(u.Ignored, plan.Ignored{File: i.File, Line: i.Line, Path: i.Path, Why: i.Why, Usual: i.Usual})
	}
	return u
}

// UpdateSaved does what a saved plan says, if the cluster is as it was when the plan
// was made; else that is a *StaleError.
func (s *Store) UpdateSaved(ctx context.Context, p *SavedPlan, programs Programs, w Write) (*Update, error) {
	if err := s.store.Load(ctx); err != nil {
		return nil, err
	}
	if p.Store != s.store.ID() {
		return nil, &StaleError{Plan: p, Why: "it was made for another store"}
	}
	u, err := s.release(ctx, p.Cluster, programs, w, func(u *Update) error { return p.stale(u) })
	if stale := new(StaleError); errors.As(err, &stale) {
		stale.Since = s.since(ctx, p)
	}
	return u, err
}

// stale says why a plan is not one of the state that u is of; nil: it is.
func (p *SavedPlan) stale(u *Update) error {
	switch {
	case u.lineage != p.LineageID:
		return &StaleError{Plan: p, Why: "the cluster was deleted and created again"}
	case u.Released != p.Released:
		return &StaleError{Plan: p, Why: fmt.Sprintf("commit %s is live by now, and it was %s then", orNone(u.Released), orNone(p.Released))}
	case u.Head != p.Commit || u.digest != p.Digest:
		return &StaleError{Plan: p, Why: fmt.Sprintf("the newest commit is %d by now, and it was %d then", u.Head, p.Commit)}
	}
	if why := p.differs(u); why != "" {
		return &StaleError{Plan: p, Why: why}
	}
	return nil
}

// differs says what an update of the same commit would do and the plan does not
// show, or the other way round: programs or a version of Stateroom may be others
// than then. What one of them leaves open is not held against the other.
func (p *SavedPlan) differs(u *Update) string {
	type thing struct{ group, kind, name, action string }
	of := func(c PlanChange) thing { return thing{c.Group, c.Kind, c.Name, c.Action} }
	open := func(c PlanChange) bool { return strings.Contains(c.Why+c.Text, plan.Unknown) }
	planned := map[thing]PlanChange{}
	for _, c := range p.Changes {
		planned[of(c)] = c
	}
	for _, now := range u.ChangesForPrograms() {
		then, ok := planned[of(now)]
		delete(planned, of(now))
		switch {
		case ok && (then == now || open(then) || open(now)):
		case !ok && open(now):
		case !ok:
			return "it does not show what would be done by now: " + now.Why
		default:
			return "something else would be done by now: " + now.Why + "; the plan says: " + then.Why
		}
	}
	for _, c := range p.Changes { // the first that is left
		if then, left := planned[of(c)]; left && !open(then) {
			return "it shows what would not be done by now: " + then.Why
		}
	}
	return ""
}

func orNone(commit int) string {
	if commit == 0 {
		return "none"
	}
	return strconv.Itoa(commit)
}

// since lists what was committed after the plan, newest first. It is for people:
// where it cannot be read, there is nothing.
func (s *Store) since(ctx context.Context, p *SavedPlan) []*store.Commit {
	var all []*store.Commit
	for c, err := range s.Log(ctx, p.Cluster) {
		if err != nil || c.Number <= p.Commit {
			break
		}
		all = append(all, c)
	}
	return all
}

// StaleError says that a saved plan is not of the state that the cluster is in.
type StaleError struct {
	Plan  *SavedPlan
	Why   string
	Since []*store.Commit // what was committed after it, newest first
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("the saved plan of %s is stale: %s; nothing was done", e.Plan.Cluster, e.Why)
}

// Unwrap returns store.ErrConflict.
func (e *StaleError) Unwrap() error { return store.ErrConflict }

// Hint says what to do.
func (e *StaleError) Hint() string {
	return fmt.Sprintf("make it again: stateroom update cluster %s --out FILE", e.Plan.Cluster)
}
