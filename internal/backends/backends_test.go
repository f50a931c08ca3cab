package backends

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/vfs"
)

func TestOpenDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	for _, url := range []string{dir, dir + "/", "file://" + dir} {
		f, err := Open(t.Context(), url, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() != dir {
			t.Errorf("Open(%q).Name() = %q, want %q", url, f.Name(), dir)
		}
		if _, _, err := f.Get(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a store that is not there yet: %v, want not found", err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening and reading made the directory: %v", err)
	}
}

func TestOpenMemory(t *testing.T) {
	f, err := Open(t.Context(), "mem://x", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put(t.Context(), "a", []byte("1"), vfs.IfAbsent(), ""); err != nil {
		t.Fatal(err)
	}
}

func TestSchemesAreRefusedInWords(t *testing.T) {
	for url, want := range map[string]struct {
		err  error
		text string
	}{
		"swift://bucket/state":             {errors.ErrUnsupported, "open store swift://bucket/state: such stores are not built into this version yet"},
		"swift://ada:hunter2@host/srv/x@y": {errors.ErrUnsupported, "open store swift://host/srv/x@y: such stores are not built into this version yet"},
		"gopher://example.com/1":           {fs.ErrInvalid, "open store gopher://example.com/1: unknown scheme"},
		"oss://ada:hunter2@bucket/":        {errors.ErrUnsupported, "open store oss://bucket/: such stores are not built into this version yet"},
		"swift://ada:a/hunter2/b@host/srv": {errors.ErrUnsupported, "open store swift://host/srv: such stores are not built into this version yet"},
		"s3://ada:a/hunter2/b@state/team":  {fs.ErrInvalid, "open store s3://state/team: it is not a URL"},
		"swift://host:80/srv/x@y":          {errors.ErrUnsupported, "open store swift://host:80/srv/x@y: such stores are not built into this version yet"},
		"gs://state?b=1&c=2&a=3&key":       {fs.ErrInvalid, `open store gs://state: parameter "a" is unknown here, or there twice`},
	} {
		_, err := Open(t.Context(), url, Options{})
		if !errors.Is(err, want.err) || err.Error() != want.text {
			t.Errorf("Open(%q) = %v, want %q", url, err, want.text)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the refusal of %q shows the password", url)
		}
	}
	if _, err := Open(t.Context(), "", Options{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an empty address: %v", err)
	}
}

func TestDir(t *testing.T) {
	for url, want := range map[string]string{"/srv/x/": "/srv/x", "file:///srv/x": "/srv/x", "s3://b/x": "", "": "", "mem://": ""} {
		got, ok := Dir(url)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("Dir(%q) = %q, want %q", url, got, want)
		}
	}
}
