package store

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrConflict says that others kept committing until the time was up.
var ErrConflict = errors.New("conflict with other writers")

// errAgain says that the state has moved on and the attempt begins anew.
var errAgain = errors.New("begin again")

// FormatError is the error for what a later version wrote.
type FormatError struct {
	What          string // "log record 7 of demo.example.com"
	Format, Reads int
}

func (e *FormatError) Error() string {
	what := e.What
	if what == "" {
		what = "it"
	}
	return fmt.Sprintf("%s was written by a newer Stateroom (format %d, this one reads %d)", what, e.Format, e.Reads)
}

// Hint says what to do.
func (e *FormatError) Hint() string { return "upgrade stateroom" }

// Unwrap: a reader cannot do anything with it.
func (e *FormatError) Unwrap() error { return errors.ErrUnsupported }

// OutcomeError says that a commit was attempted, and that it cannot be seen
// whether it was made.
type OutcomeError struct {
	Cluster string
	Number  int
	Err     error
}

func (e *OutcomeError) Error() string {
	return fmt.Sprintf("%s: commit %s: outcome unknown: %v", e.Cluster, NumberText(e.Number), e.Err)
}

func (e *OutcomeError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *OutcomeError) Hint() string {
	return "see with `stateroom log` whether the change is there before trying again"
}

// DamagedError says that a part of the history cannot be used. Writers stop
// at it.
type DamagedError struct {
	Cluster string
	Number  int
	Err     error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s: log record %s: %v", e.Cluster, NumberText(e.Number), e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *DamagedError) Hint() string {
	return "stateroom store fsck names the damage, with --repair it mends what can be mended; if this is a copy, copy it again"
}

// MissingError says that the config of a cluster is gone while other files of
// it are there.
type MissingError struct {
	Cluster string
	Err     error // what the change said, if it was asked
}

func (e *MissingError) Error() string {
	return e.Cluster + ": config was deleted by another tool, and other files are still there"
}

// Unwrap returns fs.ErrNotExist.
func (e *MissingError) Unwrap() []error { return []error{fs.ErrNotExist, e.Err} }

// Hint says what to do.
func (e *MissingError) Hint() string {
	return "bring it back with `stateroom rollback`, or end it with `stateroom delete cluster`"
}

// ClosedError says that no commit may follow the newest one.
type ClosedError struct {
	Cluster string
	Kind    Kind
}

func (e *ClosedError) Error() string {
	return fmt.Sprintf("%s: the history here is %s", e.Cluster, e.Kind)
}

// Unwrap returns fs.ErrPermission.
func (e *ClosedError) Unwrap() error { return fs.ErrPermission }

// Hint says what to do.
func (e *ClosedError) Hint() string { return "use the store that the cluster was moved to" }

// NoFileError says that a snapshot has no file of that name.
type NoFileError struct {
	Cluster string
	Number  int
	Name    string
}

func (e *NoFileError) Error() string {
	return fmt.Sprintf("%s at commit %d: no file %s: %v", e.Cluster, e.Number, e.Name, fs.ErrNotExist)
}

// Unwrap returns fs.ErrNotExist.
func (e *NoFileError) Unwrap() error { return fs.ErrNotExist }

// NoCommitError says that a history has no commit of that name.
type NoCommitError struct {
	Cluster, Ref string
	Newest       int // 0: there is no history
}

func (e *NoCommitError) Error() string {
	if e.Newest == 0 {
		return e.Cluster + " has no history"
	}
	return fmt.Sprintf("%s: no commit %s, there are 1 to %d", e.Cluster, e.Ref, e.Newest)
}

// Unwrap returns fs.ErrNotExist.
func (e *NoCommitError) Unwrap() error { return fs.ErrNotExist }

// Hint says what to do.
func (e *NoCommitError) Hint() string {
	if e.Newest == 0 {
		return "its first commit is made by the first change"
	}
	return "`stateroom log` lists the commits"
}

// RefError says that a text cannot name a commit.
type RefError struct{ Ref string }

func (e *RefError) Error() string { return fmt.Sprintf("%q is not a commit", e.Ref) }

// Unwrap returns fs.ErrInvalid.
func (e *RefError) Unwrap() error { return fs.ErrInvalid }

// Hint says what to do.
func (e *RefError) Hint() string {
	return "a commit is a number, head, head~2 or a time like 2026-11-22T15:04:05Z"
}

// GoneError says that the bytes of a file were removed from an old commit, to
// make room. That it was there, and its digest, are in the history still.
type GoneError struct {
	Cluster string
	Number  int // of the commit that held them
	Name    string
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("%s: %s as of commit %d: its bytes were removed from the history by gc", e.Cluster, e.Name, e.Number)
}

func (e *GoneError) Unwrap() error { return errStripped }

// Hint says what to do.
func (e *GoneError) Hint() string {
	return "a copy of the store from before has them; newer commits are whole"
}
