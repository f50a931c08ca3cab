package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"
	"unicode"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/internal/backends"
	"github.com/stateroom/stateroom/store"
)

// The exit codes. They are promised to scripts: `stateroom help exit-codes`.
const (
	exitOK           = 0
	exitError        = 1
	exitUsage        = 2
	exitMissing      = 3
	exitConflict     = 4
	exitPermission   = 5
	exitInvalid      = 6
	exitNotConverged = 8
	exitDifferent    = 10
	exitInterrupted  = 130
)

const exitCodes = `  0    done
  1    an error that is none of these
  2    the command line is wrong, or asks for what this version does not have
  3    not found
  4    conflict: somebody else changed or made the same
  5    not permitted: by the system, or to protect what belongs to another store
  6    a document is invalid
  7    cannot decrypt
  8    committed, but the hosts do not run it
  10   there are differences (with --detailed-exitcode)
  130  interrupted
`

// usageError is a wrong command line.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return e.hint }

func usagef(hint, format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...), hint: hint}
}

// errDifferent ends a command that found differences and said them.
var errDifferent = errors.New("there are differences")

// exitStatus ends a command with the code of a program that it ran, which said
// itself what was wrong.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitCode is the one place where errors become codes.
func exitCode(err error) int {
	var (
		status    exitStatus
		wrong     *usageError
		badName   *cluster.NameError
		invalid   *cluster.InvalidError
		behind    *stateroom.NotConvergedError
		changed   *stateroom.ChangedError
		collision *stateroom.ExistsError
		newer     *store.FormatError
		damaged   *store.DamagedError
		bundle    *stateroom.BundleError
		ref       *store.RefError
		text      doc.Errors
		scheme    *backends.SchemeError
		address   *backends.AddressError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDifferent):
		return exitDifferent
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &newer), errors.As(err, &damaged), errors.As(err, &bundle):
		return exitError
	case errors.As(err, &wrong), errors.As(err, &badName), errors.As(err, &ref), errors.As(err, &scheme), errors.As(err, &address), errors.Is(err, errors.ErrUnsupported):
		return exitUsage
	case errors.As(err, &behind):
		return exitNotConverged
	case errors.As(err, &invalid), errors.As(err, &text):
		return exitInvalid
	case errors.Is(err, store.ErrConflict), errors.As(err, &changed), errors.As(err, &collision):
		return exitConflict
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return exitPermission
	case errors.Is(err, fs.ErrNotExist):
		return exitMissing
	case errors.Is(err, fs.ErrInvalid):
		return exitInvalid
	}
	return exitError
}

// fail says what went wrong, each line as "stateroom: ...", hints apart, and
// returns the exit code.
func (env *Env) fail(ctx context.Context, err error) int {
	var status exitStatus
	switch {
	case err == nil, errors.Is(err, errDifferent), errors.As(err, &status):
		return exitCode(err)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		if unknown := new(store.OutcomeError); errors.As(err, &unknown) {
			env.sayf("%s", unknown)
			env.sayf("hint: %s", unknown.Hint())
		}
		env.sayf("interrupted")
		return exitInterrupted
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		env.sayf("%s", line)
	}
	all := env.hints(err)
	if len(all) == 0 {
		all = env.lastHint(err)
	}
	for _, hint := range all {
		env.sayf("hint: %s", hint)
	}
	return exitCode(err)
}

// sayf prints a line for the person, beside the command's result.
func (env *Env) sayf(format string, args ...any) {
	fmt.Fprintf(env.Stderr, "stateroom: %s\n", clean(env.here(fmt.Sprintf(format, args...))))
}

// commandsIn finds commands of this program in what is said to people.
var commandsIn = regexp.MustCompile(`\bstateroom (` + strings.Join(allCommands(), "|") + `)\b`)

// here makes commands that are advised such as work here: what is done in the
// store that --state names is gone on with there.
func (env *Env) here(advice string) string {
	if env.state == "" || !env.sayable {
		return advice
	}
	var parts []string
	for part := range strings.SplitSeq(advice, ";") {
		if !strings.Contains(part, " --state ") { // else it says itself where
			part = commandsIn.ReplaceAllStringFunc(part, func(command string) string {
				return strings.Replace(command, " ", " --state "+shellQuote(env.state)+" ", 1)
			})
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ";")
}

// clean keeps what others wrote from moving the cursor, hiding text, or showing
// it in another order: characters for that are shown by their number.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t', r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case unicode.IsControl(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			fmt.Fprintf(&b, "<%U>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
