package sftp_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
	"github.com/stateroom/stateroom/vfs/sftp"
)

// lay puts files below a directory of the server.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(data), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// turnsOf is the directory of the turn of the key.
func turnsOf() string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf(".stateroom/tmp/turns/%x", sum[:16])
}

// out is the name of a file that is aside, where data was expected.
func out(id, data string) string {
	sum := sha256.Sum256([]byte(data))
	return fmt.Sprintf("%s/%016s.%x/out", turnsOf(), id, sum[:16])
}

// layAside puts data aside where expected was expected, as a client does that
// stops then.
func layAside(t *testing.T, dir, expected, data string) {
	t.Helper()
	lay(t, dir, map[string]string{out("1", expected): data})
	if err := os.MkdirAll(filepath.Join(dir, ".stateroom/tmp/aside", key), 0o700); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, d vfs.Driver, name, data string) vfs.Entry {
	t.Helper()
	got, e, err := d.Get(t.Context(), name, "")
	if err != nil || string(got) != data {
		t.Errorf("at %s there is %q, %v; want %q", name, got, err, data)
	}
	return e
}

func TestWhatWasTakenByMistakeIsTheObject(t *testing.T) {
	dir := t.TempDir()
	layAside(t, dir, "one", "two")
	d := open(t, dir, sftp.Options{Settle: patience})
	e := want(t, d, key, "two")
	if _, err := d.Put(t.Context(), key, []byte("three"), vfs.IfVersion(e.Version), ""); err != nil {
		t.Error(err)
	}
	want(t, d, key, "three")
	if left, err := d.Leftovers(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("left over: %+v, %v", left, err)
	}
}

func TestForeignBytesThatWereOvertakenAreKept(t *testing.T) {
	dir := t.TempDir()
	layAside(t, dir, "one", "foreign")
	lay(t, dir, map[string]string{key: "newer"})
	d := open(t, dir, sftp.Options{Settle: patience})
	e := want(t, d, key, "newer")
	if _, err := d.Put(t.Context(), key, []byte("newest"), vfs.IfVersion(e.Version), ""); err != nil {
		t.Fatal(err)
	}
	near, err := file.Open(dir, file.Options{})
	if err != nil {
		t.Fatal(err)
	}
	left, err := near.Leftovers(t.Context())
	if err != nil || len(left) != 1 || !left[0].Kept || left[0].Key != key || string(left[0].Data) != "foreign" {
		t.Errorf("left over, by path: %+v, %v", left, err)
	}
	left, err = d.Leftovers(t.Context())
	if err != nil || len(left) != 1 || !left[0].Kept || left[0].Key != key || string(left[0].Data) != "foreign" {
		t.Fatalf("left over: %+v, %v", left, err)
	}
	if err := d.Drop(t.Context(), "aside/"+key+"/../config/"+filepath.Base(left[0].Name)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("drop by a crooked name: %v", err)
	}
	if err := near.Drop(t.Context(), left[0].Name); err != nil {
		t.Error(err)
	}
	want(t, d, key, "newest")
}

func TestOnlyWhatIsKeptIsDropped(t *testing.T) {
	dir := t.TempDir()
	layAside(t, dir, "one", "one")
	d := open(t, dir, sftp.Options{Settle: patience})
	for _, name := range []string{out("1", "one")[len(".stateroom/tmp/"):], "new.x", "../../" + key, ""} {
		if err := d.Drop(t.Context(), name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("drop %q: %v", name, err)
		}
	}
	want(t, d, key, "one")
}

// A key is free for a moment while its object is aside. Who creates it waits
// until that is over.
func TestCreateWhileTheObjectIsAside(t *testing.T) {
	dir := t.TempDir()
	layAside(t, dir, "old", "old")
	d := open(t, dir, sftp.Options{Settle: patience})
	if _, err := d.Put(t.Context(), key, []byte("created"), vfs.IfAbsent(), ""); !errors.Is(err, vfs.ErrConflict) {
		t.Errorf("create what was there all the time: %v", err)
	}
	want(t, d, key, "old")
}

// Some servers rename no directory over another.
func TestATurnWhoseDirectoryWasLeft(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, sftp.Options{Settle: patience})
	for i, put := range []string{"one", "two"} {
		if err := os.MkdirAll(filepath.Join(dir, turnsOf()), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Put(t.Context(), key, []byte(put), vfs.Cond{}, ""); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	want(t, d, key, "two")
}

// A list says what is there, whoever has it aside.
func TestListWhileObjectsAreReplaced(t *testing.T) {
	dir := t.TempDir()
	writer, reader := open(t, dir, sftp.Options{}), open(t, dir, sftp.Options{})
	e, err := writer.Put(t.Context(), key, []byte("0"), vfs.Cond{}, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		for i := range 60 {
			if e, err = writer.Put(t.Context(), key, fmt.Append(nil, i), vfs.IfVersion(e.Version), ""); err != nil {
				break
			}
		}
		done <- err
	}()
	for n := 0; ; n++ {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d lists", n)
			return
		default:
		}
		var keys []string
		for e, err := range reader.List(t.Context(), "", "") {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, e.Key)
		}
		if len(keys) != 1 || keys[0] != key {
			t.Fatalf("list yields %q", keys)
		}
	}
}

// Two contents of one second and one size are two versions.
func TestAChangeInTheSameSecondIsSeen(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, sftp.Options{})
	when := time.Now().Add(-time.Hour)
	var versions []vfs.Version
	for _, data := range []string{"one", "two"} {
		lay(t, dir, map[string]string{key: data})
		if err := os.Chtimes(filepath.Join(dir, key), when, when); err != nil {
			t.Fatal(err)
		}
		for e, err := range d.List(t.Context(), "", "") {
			if err != nil {
				t.Fatal(err)
			}
			versions = append(versions, e.Version)
		}
	}
	if len(versions) != 2 || versions[0] == versions[1] {
		t.Errorf("versions %q", versions)
	}
}

// Who uses the directory by its path finds what a client over SFTP has left
// aside, and puts it right.
func TestWhatIsAsideIsThereByPath(t *testing.T) {
	for name, do := range map[string]func(d *file.Driver) (want string, err error){
		"get": func(d *file.Driver) (string, error) { return "old", nil },
		"create": func(d *file.Driver) (string, error) {
			_, err := d.Put(t.Context(), key, []byte("new"), vfs.IfAbsent(), "")
			if !errors.Is(err, vfs.ErrConflict) {
				err = fmt.Errorf("it says %w", err)
			} else {
				err = nil
			}
			return "old", err
		},
		"replace": func(d *file.Driver) (string, error) {
			var err error
			for range 2 { // what is given back changes its version
				var e vfs.Entry
				if _, e, err = d.Get(t.Context(), key, ""); err != nil {
					break
				}
				if _, err = d.Put(t.Context(), key, []byte("new"), vfs.IfVersion(e.Version), ""); err == nil {
					break
				}
			}
			return "new", err
		},
		"overwrite": func(d *file.Driver) (string, error) {
			_, err := d.Put(t.Context(), key, []byte("new"), vfs.Cond{}, "")
			return "new", err
		},
		"delete": func(d *file.Driver) (string, error) { return "", d.Delete(t.Context(), key, vfs.Cond{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			layAside(t, dir, "old", "old")
			lay(t, dir, map[string]string{"demo.example.com/beside": "x"})
			d, err := file.Open(dir, file.Options{Settle: patience})
			if err != nil {
				t.Fatal(err)
			}
			after, err := do(d)
			if err != nil {
				t.Error(err)
			}
			far := open(t, dir, sftp.Options{Settle: patience})
			keys := []string{"demo.example.com/beside"}
			if after != "" {
				keys = append(keys, key)
			}
			for _, d := range []vfs.Driver{d, far} {
				if data, _, err := d.Get(t.Context(), key, ""); string(data) != after || err != nil && (after != "" || !errors.Is(err, fs.ErrNotExist)) {
					t.Errorf("%T gets %q, %v; want %q", d, data, err, after)
				}
				var listed []string
				for e, err := range d.List(t.Context(), "", "") {
					if err != nil {
						t.Fatal(err)
					}
					listed = append(listed, e.Key)
				}
				if !slices.Equal(listed, keys) {
					t.Errorf("%T lists %q, want %q", d, listed, keys)
				}
			}
		})
	}
}

// What is no turn, where one should be, is told of and not waited for.
func TestSomethingElseInThePlaceOfATurn(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{turnsOf() + "/.nfs0001": ""})
	near, err := file.Open(dir, file.Options{Settle: patience})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []vfs.Driver{near, open(t, dir, sftp.Options{Settle: patience})} {
		_, err := d.Put(t.Context(), key, nil, vfs.Cond{}, "")
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), turnsOf()) {
			t.Errorf("%T: %v, and no hint at what to remove", d, err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".stateroom/tmp/*.*")); err != nil || len(left) > 0 {
			t.Errorf("%T leaves %q, %v", d, left, err)
		}
	}
}
