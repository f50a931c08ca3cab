package backends

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/vfs"
)

func TestOpenHTTP(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "a b", "demo.example.com", "config")
	if err := errors.Join(os.MkdirAll(filepath.Dir(key), 0o700), os.WriteFile(key, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	f, err := Open(t.Context(), server.URL+"/a%20b/", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if data, _, err := f.Get(t.Context(), "demo.example.com/config"); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
	_, err = f.Put(t.Context(), "x", nil, vfs.Cond{}, "")
	if want := "put " + server.URL + "/a b/x: a store on a web server can only be read"; err == nil || err.Error() != want {
		t.Errorf("put: %v, want %s", err, want)
	}
}

func TestHTTPAddressesAreRefusedInWords(t *testing.T) {
	for text, part := range map[string]string{
		"https://ada:hunter2@example.com/state":     "it has a user in it",
		"https://example.com/state?sig=hunter2":     `parameter "sig" is unknown`,
		"https://example.com/state#hunter2":         "it has a # in it",
		"https:///state":                            "not the URL of a web server",
		"http://example.com/a/../b":                 "cannot be a folder",
		"https://ada:hunter2@example.com:port/x":    "it is not a URL",
		"https://example.com/state?sig=%zz&hunter2": "its parameters cannot be read",
	} {
		_, err := Open(t.Context(), text, Options{})
		if err == nil || !strings.Contains(err.Error(), part) || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Open(%s) = %v, want %q", text, err, part)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the refusal shows a secret: %v", err)
		}
	}
}
