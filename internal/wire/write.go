package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Mark returns a random word for a write under c, to be kept in the object's
// metadata: it tells the write from all others when its reply is lost. A write
// without a condition needs none, and gets "".
func Mark(c vfs.Cond) string {
	if c.IsZero() {
		return ""
	}
	return rand.Text()
}

// resolveTime is for the look what became of a write.
const resolveTime = 20 * time.Second

// Put is what became of a write under c that [Try] says failed with err. If it
// is in doubt, the object tells, because it holds the mark of the write that made
// it: look reads both.
func Put(ctx context.Context, c vfs.Cond, mark string, doubt bool, err error, look func(context.Context) (vfs.Entry, string, error)) (vfs.Entry, error) {
	if !doubt {
		return vfs.Entry{}, conflict(err, c)
	}
	if mark == "" || ctx.Err() != nil {
		return vfs.Entry{}, InDoubt(err)
	}
	limited, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	e, found, lookErr := look(limited)
	switch {
	case lookErr == nil && found == mark:
		return e, nil
	case ctx.Err() != nil:
		return vfs.Entry{}, ctx.Err()
	case refusesCondition(err):
		return vfs.Entry{}, vfs.ErrConflict
	}
	return vfs.Entry{}, InDoubt(err)
}

// Delete is what became of a delete under c that [Try] says ended with err.
func Delete(c vfs.Cond, doubt bool, err error) error {
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist) && (doubt || c.IsZero()):
		return nil // an attempt whose reply was lost did it, or somebody else: it is gone
	case refusesCondition(err):
		return conflict(err, c)
	case doubt:
		return InDoubt(err)
	}
	return err
}

// conflict is the error of a write under c that was not done.
func conflict(err error, c vfs.Cond) error {
	if !c.IsZero() && refusesCondition(err) {
		return vfs.ErrConflict
	}
	return err
}

// refusesCondition reports whether err is an answer that a condition does not
// hold: 412, 409 where another write goes on or there is an object already, 404
// where there is none.
func refusesCondition(err error) bool {
	return errors.Is(err, vfs.ErrConflict) || errors.Is(err, fs.ErrNotExist)
}

// InDoubt is the error of a write of which nobody knows whether it was done.
// It matches none of the classes of errors that say that it was not.
func InDoubt(cause error) error {
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return cause // the caller gave up, and knows
	}
	return &doubtful{cause}
}

type doubtful struct{ cause error }

func (e *doubtful) Error() string { return "it may have been done, or not: " + e.cause.Error() }

// Hint is that of the cause.
func (e *doubtful) Hint() string {
	var h interface{ Hint() string }
	if errors.As(e.cause, &h) {
		return h.Hint()
	}
	return ""
}
