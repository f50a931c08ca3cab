package doc

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kopsData adds the real data of kops to the corpus.
func kopsData(t *testing.T) map[string][]byte {
	t.Helper()
	dir := os.Getenv("STATEROOM_KOPS_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "kops")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no documents written by kops: set STATEROOM_KOPS_DATA to a folder that holds them (%v)", err)
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		slash := filepath.ToSlash(name)
		switch {
		case strings.Contains(slash, "/secrets/"), strings.Contains(slash, "/pki/ssh/"), strings.HasSuffix(slash, ".md"),
			strings.Contains(slash, "/backups/"), strings.HasSuffix(slash, "kops-version.txt"):
			return nil
		}
		b, err := os.ReadFile(name)
		files[name] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCorpusKeepsItsBytes(t *testing.T) {
	for name, b := range kopsData(t) {
		docs, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := Join(docs); !bytes.Equal(got, b) {
			t.Errorf("%s: Join differs", name)
		}
		for _, d := range docs {
			if _, err := newLayout(d.src[d.body:d.bodyEnd], d.root); err != nil {
				t.Errorf("%s: layout: %v", name, err)
			}
		}
	}
}

// TestFormatIsKops writes what kops wrote again, from its values alone.
func TestFormatIsKops(t *testing.T) {
	all := 0
	for name, b := range kopsData(t) {
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

// TestCorpusEdits sets every scalar of every document to another value and back,
// and adds and removes a key beside it.
func TestCorpusEdits(t *testing.T) {
	for name, b := range kopsData(t) {
		if len(b) > 12_000 {
			continue
		}
		docs, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range docs {
			editAll(t, name, docs[i])
		}
	}
}

func editAll(t *testing.T, name string, d *Document) {
	t.Helper()
	var paths [][]string
	was := d.Bytes()
	d.Walk(func(path []string, n Node) error {
		if n.Kind == Scalar {
			paths = append(paths, append([]string{}, path...))
		}
		return nil
	})
	for _, p := range paths {
		v, ok := d.Get(p...)
		if !ok {
			t.Errorf("%s: %v: walked but not got", name, p)
			continue
		}
		step := func(what string, err error, same bool) {
			if err != nil {
				t.Errorf("%s: %s: %s: %v", name, PathString(p), what, err)
			} else if same && !bytes.Equal(d.Bytes(), was) {
				t.Fatalf("%s: %s: %s changed bytes: %+v", name, PathString(p), what, d.Changed())
			}
		}
		if len(p) == 0 {
			continue
		}
		step("set to itself", d.Set(v, p...), true)
		step("set", d.Set("other", p...), false)
		text, isText := v.(string)
		folded := isText && !bytes.Contains(was, []byte(text)) && !strings.Contains(text, "\n")
		step("set back", d.Set(v, p...), !folded)
		was = d.Bytes()
		beside := append(append([]string{}, p[:len(p)-1]...), "zz/new.key", "n")
		if in, _ := d.Get(p[:len(p)-1]...); in != nil {
			if _, isMap := in.(map[string]any); isMap {
				step("add", d.Set("y", beside...), false)
				step("remove", d.Unset(beside...), true)
			}
		}
	}
}
