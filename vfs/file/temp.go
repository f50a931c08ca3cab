package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/durable"
	"github.com/stateroom/stateroom/vfs"
)

const (
	ownDir   = ".stateroom"
	tempDir  = ownDir + "/tmp"
	lockFile = tempDir + "/lock"

	piece     = 240       // bytes of a temporary name in one directory
	abandoned = time.Hour // after which a file that never got its key is nobody's
)

// irregular stands for the digest of what is not a file.
const irregular = "-"

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// identify opens a file and takes its digest. What is not a regular file has a
// digest that no file has, and is not opened.
func (s *session) identify(name string) (object, error) {
	f, fi, err := s.open(name)
	if errors.Is(err, errIrregular) || errors.Is(err, fs.ErrNotExist) {
		if fi, lerr := s.Root().Lstat(name); lerr == nil {
			return object{stamp: stampOf(fi), digest: irregular}, nil
		}
	}
	if err != nil {
		return object{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		f.Close()
		return object{}, err
	}
	return object{f, stampOf(fi), hex.EncodeToString(h.Sum(nil)[:16])}, nil
}

func (o object) Close() {
	if o.File != nil {
		o.File.Close()
	}
}

// temp returns a new name in tempDir that says what it is for: fields are
// digests, and the key last. Directories it needs are made.
func (s *session) temp(kind string, fields ...string) (string, error) {
	key := len(fields) - 1
	fields[key] = escape(fields[key])
	name := kind + "." + durable.TempName() + "." + strings.Join(fields, ".")
	full := tempDir
	for len(name) > piece {
		full, name = full+"/"+name[:piece], name[piece:]
	}
	if err := s.MkdirAll(full, s.dirPerm); err != nil {
		return "", err
	}
	return full + "/" + name, nil
}

// lockName returns the file of a lock.
func lockName(name string) string {
	if name = escape(name); len(name) > piece-len("lock.") {
		sum := sha256.Sum256([]byte(name))
		name = hex.EncodeToString(sum[:])
	}
	return tempDir + "/lock." + name
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
func escape(key string) string {
	var b strings.Builder
	for _, c := range []byte(key) {
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-_~.", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescape reverses escape.
func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", hex.ErrLength
		}
		c, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", err
		}
		b.Write(c)
		i += 2
	}
	return b.String(), nil
}

// discard removes a temporary file, and the directories of its name.
func (s *session) discard(tmp string) error {
	err := s.Remove(tmp)
	if err == nil {
		s.prune(path.Dir(tmp))
	}
	return err
}

// keep gives foreign bytes that have no place in the store any more a name
// under which a person finds them.
func (s *session) keep(tmp, key, digest string) error {
	name, err := s.temp("kept", digest, key)
	if err != nil {
		return err
	}
	if err := s.Rename(tmp, name); err != nil {
		return err
	}
	s.prune(path.Dir(tmp))
	return s.SyncDir(path.Dir(name))
}

// giveBack exchanges foreign bytes in tmp with what is at key, which is to be
// put (a digest). If something else comes out, someone wrote it meanwhile: it
// is newer, and goes back in turn. Only what has the digest ours may be dropped.
func (s *session) giveBack(tmp, key, put, ours string) error {
	for {
		held, err := s.identify(tmp)
		if err != nil {
			return err
		}
		held.Close()
		back, err := s.temp("back", held.digest, put, ours, key)
		if err != nil {
			return err
		}
		if err := s.Rename(tmp, back); err != nil {
			return err
		}
		s.prune(path.Dir(tmp))
		tmp = back
		switch err := s.Exchange(tmp, key); {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported):
			return s.keep(tmp, key, held.digest) // deleted meanwhile, or never exchanged by this system
		case err != nil:
			return err
		}
		// If we stop here, recovery does from tmp's name what follows.
		got, err := s.identify(tmp)
		if err != nil {
			return err
		}
		got.Close()
		if got.digest == put {
			return errors.Join(s.SyncDir(path.Dir(key)), s.drop(tmp, key, put, ours))
		}
		put = held.digest
	}
}

// drop discards what is ours, and keeps what is not.
func (s *session) drop(tmp, key, digest, ours string) error {
	if digest == ours {
		return s.discard(tmp)
	}
	return s.keep(tmp, key, digest)
}

// putBack moves foreign bytes in tmp to key again, unless someone has written
// there meanwhile.
func (s *session) putBack(tmp, key, digest string) error {
	if err := s.folder(path.Dir(key)); err != nil {
		return err
	}
	switch err := s.RenameNew(tmp, key); {
	case errors.Is(err, fs.ErrExist):
		return s.keep(tmp, key, digest)
	case err != nil:
		return err
	}
	s.prune(path.Dir(tmp))
	return s.SyncDir(path.Dir(key))
}

// recover puts right what a crash has left in tempDir. The lock is held, so no
// change is under way but those of foreign tools.
func (s *session) recover() error {
	return s.recoverIn(tempDir, "")
}

// recoverIn goes through one directory; begun is the part of the names in it
// that the directories above hold.
func (s *session) recoverIn(dir, begun string) error {
	f, err := s.Root().Open(dir)
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return err
	}
	for _, e := range entries {
		tmp, name := dir+"/"+e.Name(), begun+e.Name()
		kind, _, _ := strings.Cut(name, ".")
		switch {
		case kind != "new" && kind != "sync" && kind != "swap" && kind != "back" && kind != "gone":
			continue
		case e.IsDir() && len(e.Name()) == piece:
			err = s.recoverIn(tmp, name)
		case kind == "new":
			err = s.recoverNew(tmp)
		case kind == "sync":
			err = s.recoverMark(tmp, name)
		default:
			err = s.recoverMoved(tmp, name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// recoverNew removes a file that never got its key. Its writer may be at it
// still, unless it is old.
func (s *session) recoverNew(tmp string) error {
	fi, err := s.Root().Lstat(tmp)
	if err != nil || time.Since(fi.ModTime()) < abandoned {
		return err
	}
	return s.Remove(tmp)
}

// recoverMark makes durable the names above a key that a crashed writer has
// made, changed or removed: others may have seen them, and build on them.
func (s *session) recoverMark(tmp, name string) error {
	was, ok := parseTemp(name)
	if !ok {
		return nil
	}
	if err := s.syncAbove(was.key); err != nil {
		return err
	}
	return s.discard(tmp)
}

// syncAbove syncs the directories of a key, from the store's own down to the
// last that is there.
func (s *session) syncAbove(key string) error {
	if err := s.SyncDir("."); err != nil {
		return err
	}
	for i, c := range []byte(key) {
		if c != '/' {
			continue
		}
		if err := s.SyncDir(key[:i]); errors.Is(absent(err, key), fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// recoverMoved decides over a file that was moved or exchanged, or was about to be.
func (s *session) recoverMoved(tmp, name string) error {
	was, ok := parseTemp(name)
	if !ok {
		return nil // of a newer version, or a person's
	}
	got, err := s.identify(tmp)
	if err != nil {
		return err
	}
	got.Close()
	at, err := s.identify(was.key)
	if err != nil && !errors.Is(absent(err, was.key), fs.ErrNotExist) {
		return err
	}
	at.Close() // its digest is "" where there is nothing

	switch {
	case was.kind == "gone" && got.digest == was.expected:
		return s.stands(tmp, was)
	case was.kind == "gone":
		return s.putBack(tmp, was.key, got.digest)
	case was.kind == "swap" && got.digest == was.expected:
		return s.stands(tmp, was)
	case was.kind == "swap" && got.digest == was.put:
		return s.discard(tmp)
	case got.digest == was.expected: // what we gave back is at the key
		if err := s.syncAbove(was.key); err != nil {
			return err
		}
		return s.drop(tmp, was.key, got.digest, was.ours)
	case got.digest == was.put && at.digest == was.expected: // not yet given back
		return s.giveBack(tmp, was.key, was.expected, was.ours)
	case got.digest != was.put && at.digest == was.put: // exchanged, and what came out is foreign
		return s.giveBack(tmp, was.key, was.put, was.ours)
	default: // someone wrote or deleted since
		return s.keep(tmp, was.key, got.digest)
	}
}

// stands makes a change durable that was right.
func (s *session) stands(tmp string, was moved) error {
	if err := s.syncAbove(was.key); err != nil {
		return err
	}
	return s.discard(tmp)
}

// mark leaves word in tempDir that the directories of a key are about to
// change. It need not be durable: after a power cut nothing is unsynced.
func (s *session) mark(key string) (string, error) {
	name, err := s.temp("sync", key)
	if err != nil {
		return "", err
	}
	return name, s.Touch(name, s.filePerm)
}

// moved is what a temporary name says. Bytes of digest put were, or were about
// to be, exchanged with the object at key, which was expected to have digest
// expected. Bytes of digest ours are not foreign.
type moved struct {
	kind                string
	put, expected, ours string
	key                 string
}

func parseTemp(name string) (moved, bool) {
	fields := map[string]int{"sync": 3, "gone": 4, "swap": 5, "back": 6}
	kind, _, _ := strings.Cut(name, ".")
	f := strings.SplitN(name, ".", fields[kind])
	if len(f) < 3 || len(f) != fields[kind] {
		return moved{}, false
	}
	m := moved{kind: kind}
	switch kind {
	case "gone":
		m.expected = f[2]
	case "swap":
		m.put, m.expected, m.ours = f[2], f[3], f[2]
	case "back":
		m.put, m.expected, m.ours = f[2], f[3], f[4]
	}
	var err error
	m.key, err = unescape(f[len(f)-1])
	return m, err == nil && vfs.ValidKey(m.key) && !hidden(m.key)
}
