package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/pkg/sftp"
)

// refusal says why something cannot be, and what to do.
type refusal struct {
	why, advice string
	class       error
}

func (r *refusal) Error() string { return r.why }
func (r *refusal) Unwrap() error { return r.class }

// Hint says what to do.
func (r *refusal) Hint() string { return r.advice }

var (
	errIrregular = &refusal{"it is not a plain file, and only such can hold an object", "remove it, or put the file itself there", fs.ErrInvalid}
	errSymlink   = &refusal{"it is a symbolic link, and only a plain file can hold an object", "put the file itself there instead of a link to it", fs.ErrInvalid}
	errHidden    = fmt.Errorf("the name is kept for temporary files: %w", fs.ErrInvalid)
	errFolder    = fmt.Errorf("there are objects below it, which a disk cannot have: %w", fs.ErrInvalid)
	errUnderFile = fmt.Errorf("a folder of it is an object, which a disk cannot have: %w", fs.ErrInvalid)
	errName      = fmt.Errorf("the server allows no such file name: %w", fs.ErrInvalid)
	errMoving    = errors.New("someone is writing into the file")
	errBusy      = errors.New("other writers kept taking the file aside")
	errLate      = errors.New("another client took this write for abandoned")
	errNone      = fmt.Errorf("there is no such object: %w", fs.ErrNotExist)
)

// Status codes of the protocol that the library has no errors for.
const (
	codeFailure    = 4
	codeBadMessage = 5
)

// failed reports whether the server said no more than that it failed: what is
// there already, or is not empty, is told in this way too.
func failed(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status) && status.Code == codeFailure
}

// badName reports whether the server does not take a name.
func badName(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status) && status.Code == codeBadMessage
}

// answered reports whether an error is one that the server sent.
func answered(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// cause puts an error of the library into words.
func cause(err error) error {
	var status *sftp.StatusError
	if !errors.As(err, &status) {
		return err
	}
	switch status.Code {
	case codeFailure:
		return fmt.Errorf("the server refused it and gave no reason (%w)", err)
	case codeBadMessage:
		return errName
	case 8:
		return fmt.Errorf("the server cannot do it (%w): %w", err, errors.ErrUnsupported)
	}
	return err
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
