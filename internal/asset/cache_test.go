package asset_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// site is a release site that serves one file, and counts.
func site(t *testing.T, serve http.HandlerFunc) (url string, requests *atomic.Int32) {
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		serve(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/program", requests
}

func sends(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

func program(url string, b []byte) bundle.Asset {
	return bundle.Asset{Name: "program", Programs: []string{"program"}, URL: url, SHA256: sum(b), Size: int64(len(b))}
}

// leftovers lists what is half done in a cache, lock files aside.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "tmp", "new-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFetchStreamsVerifiesAndKeeps(t *testing.T) {
	want := bytes.Repeat([]byte("program"), 100_000)
	url, requests := site(t, sends(want))
	c := &asset.Cache{Dir: filepath.Join(t.TempDir(), "cache")}
	old := filepath.Join(c.Dir, "tmp", "new-of-a-crash")
	long := time.Now().Add(-48 * time.Hour)
	if err := errors.Join(os.MkdirAll(filepath.Dir(old), 0o700), os.WriteFile(old, nil, 0o600), os.Chtimes(old, long, long)); err != nil {
		t.Fatal(err)
	}
	var last int64
	path, err := c.Fetch(t.Context(), program(url, want), func(step string, done, total int64) {
		if step != "fetching program" || done < last || total != int64(len(want)) {
			t.Errorf("progress: %s %d/%d", step, done, total)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) || last != int64(len(want)) {
		t.Fatalf("%d bytes, told of %d, %v", len(got), last, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left := leftovers(t, c.Dir); len(left) > 0 {
		t.Errorf("left in tmp/: %v", left)
	}
	again, err := c.Fetch(t.Context(), program("http://192.0.2.1/nowhere", want), nil)
	if err != nil || again != path || requests.Load() != 1 {
		t.Errorf("again: %s, %v, %d requests", again, err, requests.Load())
	}
}

func TestFetchKeepsNothingThatIsNotWhatItShouldBe(t *testing.T) {
	want := []byte("the program")
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		size  int64
		is    error
	}{
		{"other bytes", sends([]byte("the prograM")), 11, bundle.ErrDigest},
		{"too long", sends([]byte("the program and more")), 11, bundle.ErrDigest},
		{"too short", sends([]byte("the prog")), 11, io.ErrUnexpectedEOF},
		{"without a known size", sends([]byte("the prog")), 0, bundle.ErrDigest},
		{"an error page", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, 11, nil},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "11")
			_, _ = w.Write([]byte("the"))
		}, 11, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, _ := site(t, c.serve)
			cache := &asset.Cache{Dir: t.TempDir()}
			a := program(url, want)
			a.Size = c.size
			_, err := cache.Fetch(t.Context(), a, nil)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), "fetch asset program from "+url) {
				t.Errorf("error: %v", err)
			}
			if _, ok := cache.Path(sum(want)); ok || len(leftovers(t, cache.Dir)) > 0 {
				t.Errorf("something was kept: %v", leftovers(t, cache.Dir))
			}
		})
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("a"))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	c := &asset.Cache{Dir: t.TempDir()}
	if _, err := c.Fetch(ctx, program(url, []byte("abc")), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
}

func TestManyFetchOnce(t *testing.T) {
	want := bytes.Repeat([]byte("p"), 1<<20)
	url, requests := site(t, sends(want))
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			c := &asset.Cache{Dir: dir}
			if _, err := c.Fetch(t.Context(), program(url, want), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestFetchTakesAMemberOutOfAnArchive(t *testing.T) {
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	for name, text := range map[string]string{"etcd-v3/README": "read me", "etcd-v3/etcd": "the program etcd"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(text))
	}
	_ = w.Close()
	_ = z.Close()
	url, requests := site(t, sends(archive.Bytes()))
	a := program(url, archive.Bytes())
	a.Member = "etcd-v3/etcd"
	c := &asset.Cache{Dir: t.TempDir()}
	if _, ok := c.Program(a); ok {
		t.Error("there before it was fetched")
	}
	for range 2 {
		path, err := c.Fetch(t.Context(), a, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != "the program etcd" {
			t.Errorf("%q", got)
		}
	}
	if err := c.Verify(t.Context(), a); err != nil {
		t.Error(err)
	}
	path, _ := c.Program(a)
	if err := os.WriteFile(path, []byte("another"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(t.Context(), a); !errors.Is(err, bundle.ErrDigest) {
		t.Errorf("verify: %v", err)
	}
	if _, err := c.Fetch(t.Context(), a, nil); err != nil || requests.Load() != 1 {
		t.Errorf("after damage: %v, %d requests", err, requests.Load())
	}
	a.Member = "etcd-v3/absent"
	if _, err := c.Fetch(t.Context(), a, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent member: %v", err)
	}
}

func TestAddTakesAFile(t *testing.T) {
	c := &asset.Cache{Dir: t.TempDir()}
	for range 2 {
		file := filepath.Join(t.TempDir(), "built")
		if err := os.WriteFile(file, []byte("built"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, size, err := c.Add(t.Context(), file)
		if err != nil || got != sum([]byte("built")) || size != 5 {
			t.Fatalf("%s, %d, %v", got, size, err)
		}
		path, ok := c.Path(got)
		st, err := os.Stat(path)
		if !ok || err != nil || st.Mode().Perm() != 0o755 {
			t.Errorf("%v %v %v", ok, st.Mode(), err)
		}
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the file is still there: %v", err)
		}
	}
	a := bundle.Asset{Name: "built", SHA256: sum([]byte("built"))}
	if _, err := c.Fetch(t.Context(), a, nil); err != nil {
		t.Error(err)
	}
}

func TestFetchWithoutAnAddressSaysWhatToDo(t *testing.T) {
	c := &asset.Cache{Dir: t.TempDir()}
	for _, url := range []string{"", "source:kubernetes@v1.37.2"} {
		_, err := c.Fetch(t.Context(), program(url, []byte("x")), nil)
		hint, ok := errors.AsType[*asset.MissingError](err)
		if !ok || hint.Hint() == "" || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", url, err)
		}
	}
	_, err := c.Fetch(t.Context(), bundle.Asset{Name: "x", SHA256: "../../etc/passwd"}, nil)
	if !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a digest that is none: %v", err)
	}
}
