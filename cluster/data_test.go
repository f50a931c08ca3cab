package cluster_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// kopsData is the folder of real kops data; the test is skipped where it is
// absent.
func kopsData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STATEROOM_KOPS_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "kops")
	}
	if _, err := os.Stat(filepath.Join(dir, "crds")); err != nil {
		t.Skipf("no kops data: set STATEROOM_KOPS_DATA to a folder with crds/, stores/ and create_cluster/ (%v)", err)
	}
	return dir
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parse reads the one document of a text.
func parse(t *testing.T, src string) *doc.Document {
	t.Helper()
	docs, err := doc.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 1 {
		t.Fatalf("%d documents, want 1", len(docs))
	}
	return docs[0]
}

// frozen is a cluster of the corpus that every version must read.
func frozen(t *testing.T, name string) fs.FS {
	t.Helper()
	return os.DirFS(filepath.Join("testdata", "v1", name))
}

func load(t *testing.T, fsys fs.FS, name string) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Load(fsys, cluster.Name(name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// changed is a copy of a cluster's files in which text is replaced.
func changed(t *testing.T, fsys fs.FS, file, old, new string) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(fsys, name)
		m[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := string(m[file].Data)
	after := strings.Replace(before, old, new, 1)
	if before == after {
		t.Fatalf("%s does not hold %q", file, old)
	}
	m[file] = &fstest.MapFile{Data: []byte(after)}
	return m
}

// text writes problems one a line.
func text(problems []cluster.Problem) string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
