package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// lockName is the file that an agent holds while it runs. What is in it says
// who holds it; whether it is held, only its lock says.
const lockName = "agent.json"

// holder is what stands in the lock file. Its format is in docs/formats/host.md.
type holder struct {
	Format  int       `json:"format"`
	Process process   `json:"process"`
	Started time.Time `json:"started"`
	Command []string  `json:"command,omitempty"` // that started it
}

// A BusyError says that another agent runs on the same directory.
type BusyError struct {
	Dir string
	PID int // 0: not known

	holder process
}

func (e *BusyError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another agent runs on %s", e.Dir)
	}
	return fmt.Sprintf("another agent (pid %d) runs on %s", e.PID, e.Dir)
}

// Hint says what a person can do.
func (e *BusyError) Hint() string {
	return "see stateroom-agent status --dir " + e.Dir + ", or give this agent a directory of its own"
}

// hold takes the lock of a directory. The kernel gives it back when the process
// ends, however it ends.
func hold(root *os.Root, command []string) (*os.File, error) {
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	fixed := errors.Is(err, syscall.EROFS) // a disk that failed: what runs can still be stopped
	if fixed {
		f, err = root.Open(lockName)
	}
	if err != nil {
		return nil, err
	}
	for range 5 { // who only looks whether it is held, holds it for a moment
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		busy := errors.Is(err, syscall.EWOULDBLOCK)
		h, _ := readHolder(f) // who it is only makes the message better
		f.Close()
		if busy {
			return nil, &BusyError{root.Name(), h.Process.PID, h.Process}
		}
		return nil, err
	}
	if fixed {
		return f, nil
	}
	p, err := processOf(os.Getpid())
	if err == nil {
		err = writeHolder(f, holder{1, p, time.Now(), command})
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// release gives the lock back. Closing alone would not do while a process that
// is just being started has a copy of the descriptor.
func release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func readHolder(f *os.File) (holder, error) {
	var h holder
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<10))
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	return h, err
}

func writeHolder(f *os.File, h holder) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	// In this order nothing has to be found for it on a disk that is full.
	if _, err := f.WriteAt(append(text, '\n'), 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)) + 1)
}

// held reports whether an agent runs on a directory, and which. It leaves no
// trace.
func held(root *os.Root) (holder, bool, error) {
	f, err := root.Open(lockName)
	if errors.Is(err, os.ErrNotExist) {
		return holder{}, false, nil
	}
	if err != nil {
		return holder{}, false, err
	}
	defer f.Close()
	h, readErr := readHolder(f)
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return h, true, nil
	}
	if readErr != nil {
		return holder{}, false, nil // free, and nobody's
	}
	return h, false, err
}
