package file_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stateroom/stateroom/vfs"
)

// TestAStoreThatVersion1LeftIsPutRight opens what docs/formats/store-file-driver.md
// describes. The file is never written again: later versions must do the same.
func TestAStoreThatVersion1LeftIsPutRight(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skipf("%s cannot exchange two names", runtime.GOOS)
	}
	killed, err := txtar.ParseFile("testdata/v1/killed.txtar")
	must(t, err)
	dir := t.TempDir()
	for _, f := range killed.Files {
		write(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	f := open(t, dir)
	put(t, f, "other", "x", vfs.Cond{})

	got := map[string]string{}
	for e, err := range f.List(t.Context(), "", "") {
		must(t, err)
		data, _, err := f.Get(t.Context(), e.Key)
		must(t, err)
		got[e.Key] = string(data)
	}
	want := map[string]string{
		"displaced.example.com/config":               "foreign\n",
		"waiting.example.com/config":                 "old\n",
		"replaced.example.com/config":                "new\n",
		"since.example.com/config":                   "foreign, later\n",
		"back.example.com/config":                    "foreign, later\n",
		"restored.example.com/instancegroup/nodes a": "foreign\n",
		"other": "x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var left []string
	for _, name := range temporaries(t, dir) {
		fields := strings.SplitN(name, ".", 4)
		left = append(left, fields[0]+" "+fields[len(fields)-1])
	}
	slices.Sort(left)
	if diff := cmp.Diff([]string{
		"kept back.example.com%2Fconfig", "kept since.example.com%2Fconfig", "kept since.example.com%2Fconfig", "swap of-a-newer-version",
	}, left); diff != "" {
		t.Errorf("left in tmp: %s", diff)
	}
}
