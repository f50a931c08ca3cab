// Package sftp keeps objects as files in a directory of an SFTP server, with
// the same layout as package file. What it leaves on the server, how writes
// under a condition are made of hard links and renames, and what becomes of
// them after a crash are specified in docs/formats/store-sftp-driver.md.
//
// The protocol tells of a file its size and the second it was written in, no
// more. Versions are therefore digests of the content, and a list reads the
// files it lists.
package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// Options say where the store lies and how to get there.
type Options struct {
	Address string // host:port
	User    string
	Dir     string // absolute, or relative to the directory of the login; "": that directory itself

	Home       string              // of the person: where .ssh lies; "": there is none
	Identities []string            // private keys; none: those of usual names in Home/.ssh
	KnownHosts []string            // files of host keys; none: Home/.ssh/known_hosts and /etc/ssh/ssh_known_hosts
	Getenv     func(string) string // for SSH_AUTH_SOCK; nil: an empty environment

	// Timeout is how long one answer of the server may take; 0: 30 s.
	Timeout time.Duration

	// Settle is how long a file that was taken aside by another client, and
	// does not come back, is taken to be in use; 0: 4 s.
	Settle time.Duration

	// Dial opens a channel that speaks SFTP, in place of SSH. It is for tests.
	Dial func(ctx context.Context) (io.ReadWriteCloser, error)
}

// Driver is a [vfs.Driver] over an SFTP server. It is safe for concurrent use,
// and for use by many clients at once.
type Driver struct {
	dir     string
	user    string
	address string
	settle  time.Duration
	slots   chan struct{} // held by each file or directory that is being read
	link    link
	swept   sweep
	given   given
}

// atOnce is how many files are read at the same time.
const atOnce = 64

// Open returns the driver of a directory, which need not exist: the first
// write makes it. The server is asked for nothing until the first call.
func Open(_ context.Context, opt Options) (*Driver, error) {
	if opt.Timeout <= 0 {
		opt.Timeout = 30 * time.Second
	}
	if opt.Settle <= 0 {
		opt.Settle = 4 * time.Second
	}
	if opt.Getenv == nil {
		opt.Getenv = func(string) string { return "" }
	}
	if opt.Dial == nil {
		if opt.Address == "" || opt.User == "" {
			return nil, fmt.Errorf("no host or no user: %w", fs.ErrInvalid)
		}
		opt.Dial = (&dialer{Options: opt}).dial
	}
	dir := strings.TrimSuffix(opt.Dir, "/")
	if dir == "" && opt.Dir == "" {
		dir = "."
	}
	return &Driver{
		dir: dir, user: opt.User, address: opt.Address, settle: opt.Settle, slots: make(chan struct{}, atOnce),
		link: link{dial: opt.Dial, timeout: opt.Timeout, gate: make(chan struct{}, 1)},
	}, nil
}

// Traits says that a server keeps no tags, that a version is one of the
// content, which comes back when the content does, and that it is a matter of
// trust whether the server's links and renames are what they should be.
func (d *Driver) Traits() vfs.Traits { return vfs.Traits{Conditions: true, Unproven: true} }

// Close ends the connection, if there is one. A later call opens another.
func (d *Driver) Close() error {
	d.link.drop(nil)
	return nil
}

const (
	ownDir   = ".stateroom"
	tempDir  = ownDir + "/tmp"
	asideDir = tempDir + "/aside"
	turnsDir = tempDir + "/turns"
)

// path returns where on the server a name below the store's directory lies.
func (d *Driver) path(name string) string {
	if name == "" || name == "." {
		return d.dir + "/"
	}
	return d.dir + "/" + name
}

// hidden reports whether a file of that name is no object.
func hidden(key string) bool {
	if key == tempDir || strings.HasPrefix(key, tempDir+"/") {
		return true
	}
	return temporary(key[strings.LastIndexByte(key, '/')+1:])
}

// temporary reports whether name is one that kops gives to a file it is still
// writing: "tmp" and digits.
func temporary(name string) bool {
	digits, ok := strings.CutPrefix(name, "tmp")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// slot waits for one of the slots.
func (d *Driver) slot(ctx context.Context) (release func(), err error) {
	select {
	case d.slots <- struct{}{}:
		return func() { <-d.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// again calls f until it ends other than by the loss of the connection, or of
// the turn to write.
func again(ctx context.Context, f func() error) error {
	for n := 0; ; n++ {
		err := f()
		if n == 3 || ctx.Err() != nil || !errors.Is(err, errLost) && !errors.Is(err, errLate) {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond<<n); err != nil {
			return err
		}
	}
}

// pause waits for about d.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(jitter(d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
