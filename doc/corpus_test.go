package doc

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corpus is our own documents in kops' format, and those of kops where they are
// at hand.
func corpus(t *testing.T, own bool) map[string][]byte {
	t.Helper()
	dir := "testdata/kops"
	if !own {
		dir = os.Getenv("STATEROOM_KOPS_DATA")
		if dir == "" {
			dir = filepath.Join("..", "..", "shared", "kops")
		}
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("no documents written by kops: set STATEROOM_KOPS_DATA to a folder that holds them (%v)", err)
		}
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		for _, other := range []string{"/secrets/", "/pki/ssh/", ".md", "/backups/", "kops-version.txt"} {
			if strings.Contains(filepath.ToSlash(name), other) {
				return nil
			}
		}
		b, err := os.ReadFile(name)
		files[name] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("%s holds no documents", dir)
	}
	return files
}

func TestCorpus(t *testing.T)     { testCorpus(t, corpus(t, true)) }
func TestKopsCorpus(t *testing.T) { testCorpus(t, corpus(t, false)) }

func testCorpus(t *testing.T, files map[string][]byte) {
	for name, b := range files {
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			t.Parallel()
			docs, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := Join(docs); !bytes.Equal(got, b) {
				t.Error("not the same bytes")
			}
			for _, d := range docs {
				if _, err := newLayout(d.src[d.body:d.bodyEnd], d.root); err != nil {
					t.Errorf("no layout: %v", err)
				}
				editAll(t, d)
			}
		})
	}
}

// TestFormatIsKops writes what kops wrote again, from its values alone.
func TestFormatIsKops(t *testing.T) {
	all := 0
	for name, b := range corpus(t, false) {
		slash := filepath.ToSlash(name)
		if bytes.HasPrefix(b, []byte("{")) || !strings.Contains(slash, "/stores/") && !strings.Contains(slash, "/expected-") {
			continue
		}
		for _, text := range strings.Split(string(b), "\n---\n\n") {
			docs, err := Parse([]byte(text))
			if err != nil || len(docs) != 1 {
				continue
			}
			all++
			v, _ := docs[0].Get()
			if got := string(Format(v)); strings.TrimSpace(got) != strings.TrimSpace(text) {
				t.Errorf("%s: -want +got\n%s", name, cmp.Diff(text, got))
			}
		}
	}
	t.Logf("%d documents", all)
}

// editAll sets every scalar of a document to itself, to another value and back,
// and sets and removes a key beside it. Of large documents it takes some.
func editAll(t *testing.T, d *Document) {
	t.Helper()
	var paths [][]string
	d.Walk(func(path []string, n Node) error {
		if n.Kind == Scalar && len(path) > 0 {
			paths = append(paths, slices.Clone(path))
		}
		return nil
	})
	budget := 25_000 // bytes to parse; every edit parses the document
	if testing.Short() {
		budget = 5_000
	}
	step := 1 + len(paths)*len(d.src)/budget
	for i := 0; i < len(paths); i += step {
		editAt(t, d, paths[i])
	}
}

func editAt(t *testing.T, d *Document, path []string) {
	t.Helper()
	was := d.Bytes()
	v, _ := d.Get(path...)
	try := func(what string, err error, same bool) {
		t.Helper()
		if _, ok := errors.AsType[*Error](err); ok && strings.Contains(err.Error(), " is used as *") {
			return
		}
		if err != nil {
			t.Errorf("%s: %s: %v", PathString(path), what, err)
		} else if same && !bytes.Equal(d.Bytes(), was) {
			t.Fatalf("%s: %s changed bytes: %+v", PathString(path), what, d.Changed())
		}
	}
	try("set to itself", d.Set(v, path...), true)
	parent := path[:len(path)-1]
	if in, _ := d.Get(parent...); in != nil {
		if _, ok := in.(map[string]any); ok {
			beside := append(slices.Clone(parent), "zz/new.key", "n")
			try("add", d.Set("y", beside...), false)
			try("remove", d.Unset(beside...), true)
		}
	}
	if !d.direct(path) {
		return // the alias would be written out
	}
	before := *d
	text, isText := v.(string)
	verbatim := !isText || bytes.Contains(was, []byte(text)) || strings.Contains(text, "\n") && !bytes.Contains(was, []byte(": >"))
	try("set", d.Set("other", path...), false)
	try("set back", d.Set(v, path...), verbatim && v != nil)
	*d = before
	try("set to a mapping", d.Set(map[string]any{"k": []any{"x", map[string]any{"y": "l\nm\n"}}}, path...), false)
	*d = before
	if len(parent) > 0 && d.direct(parent) {
		try("set its parent", d.Set("other", parent...), false)
		*d = before
	}
	try("unset", d.Unset(path...), false)
	*d = before
}
