package file

import "io/fs"

// refusal says why something on the disk cannot be part of a store. It is
// [fs.ErrInvalid].
type refusal struct{ why, advice string }

func (r *refusal) Error() string { return r.why }

// Is makes a refusal an fs.ErrInvalid, and a link an irregular file.
func (r *refusal) Is(target error) bool {
	return target == fs.ErrInvalid || r == errLink && target == error(errIrregular)
}

// Hint says what to do.
func (r *refusal) Hint() string { return r.advice }

var (
	errIrregular = &refusal{"it is not a plain file, and only such can hold an object", "remove it, or put the file itself there"}
	errLink      = &refusal{"it is a symbolic link, and only a plain file can hold an object", "put the file itself there instead of a link to it"}
	errOutside   = &refusal{"a symbolic link on the way leads out of the store", "put the folder itself there instead of a link to it"}
)

// refuseMode is the refusal of what is neither a file nor a folder.
func refuseMode(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return errLink
	}
	return errIrregular
}

// unsyncedError says that a change was made, and that its directory could not
// be synced. [cause] makes it a [vfs.ErrNotDurable].
type unsyncedError struct{ err error }

func (e *unsyncedError) Error() string { return e.err.Error() }

func (e *unsyncedError) Unwrap() error { return e.err }
