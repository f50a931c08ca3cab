package s3_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
)

func TestWhatAWriteSays(t *testing.T) {
	for name, c := range map[string]struct {
		opt  s3.Options
		want map[string]string // of the headers below, those that are sent
	}{
		"nothing special": {s3.Options{}, map[string]string{}},
		"KMS, ACL, payer": {
			s3.Options{Encryption: "aws:kms", KMSKey: "alias/state", ACL: "bucket-owner-full-control", RequesterPays: true},
			map[string]string{
				"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "alias/state",
				"X-Amz-Acl": "bucket-owner-full-control", "X-Amz-Request-Payer": "requester",
			},
		},
		"AES256": {s3.Options{Encryption: "AES256"}, map[string]string{"X-Amz-Server-Side-Encryption": "AES256"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for _, h := range []string{
					"X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "X-Amz-Acl", "X-Amz-Request-Payer",
					"X-Amz-Sdk-Checksum-Algorithm", "X-Amz-Checksum-Crc32", "X-Amz-Trailer", "Content-Encoding",
				} {
					if v := r.Header.Get(h); v != "" {
						got[h] = v
					}
				}
				if r.Header.Get("Content-Md5") != "aGxbnXVc/PFCs7o36zPmiA==" || r.ContentLength != 5 {
					t.Errorf("Content-MD5 %q, length %d", r.Header.Get("Content-Md5"), r.ContentLength)
				}
				if r.Header.Get("If-None-Match") != "*" || r.Header.Get("X-Amz-Meta-Stateroom") != "tag 1" {
					t.Errorf("%v", r.Header)
				}
				w.Header().Set("ETag", `W/"1"`)
			}))
			t.Cleanup(server.Close)
			opt := c.opt
			opt.Bucket, opt.Endpoint, opt.PathStyle, opt.Keys = "state", server.URL, true, s3.Keys{ID: "id", Secret: "x"}
			e, err := open(t, opt).Put(t.Context(), "k", []byte("hey!\n"), vfs.IfAbsent(), "tag 1")
			if err != nil || e.Version != "1" {
				t.Errorf("%+v, %v", e, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOnlyOurOwnRetries holds the SDK to making one request at a time, whatever
// the environment tells it.
func TestOnlyOurOwnRetries(t *testing.T) {
	home(t, "")
	t.Setenv("AWS_MAX_ATTEMPTS", "7")
	t.Setenv("AWS_RETRY_MODE", "adaptive")
	for _, c := range []struct {
		op, code string
		status   int
		want     string // methods
	}{
		{"get", "InternalError", 500, "GET GET GET"},
		{"get", "AccessDenied", 403, "GET"},
		{"overwrite", "InternalError", 500, "PUT PUT PUT"},
		{"create", "SlowDown", 503, "PUT PUT PUT"},
		{"create", "InternalError", 500, "PUT GET PUT GET PUT GET"}, // in doubt: it is looked for
		{"create", "PreconditionFailed", 412, "PUT"},
		{"create", "OperationAborted", 409, "PUT PUT PUT"}, // another write goes on: not done
		{"overwrite", "OperationAborted", 409, "PUT PUT PUT"},
		{"create", "BadDigest", 400, "PUT PUT PUT"}, // the bytes were damaged on the way
		{"create", "IncompleteBody", 400, "PUT PUT PUT"},
		{"create", "InvalidArgument", 400, "PUT"},
		{"delete", "SlowDown", 503, "DELETE DELETE DELETE"},
		{"list", "InternalError", 500, "GET GET GET"},
	} {
		var seen []string
		d := answering(t, func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Method)
			if c.op == "create" && r.Method == http.MethodGet {
				refuse(w, 404, "NoSuchKey", "")
				return
			}
			refuse(w, c.status, c.code, "x")
		})
		if err := do(t.Context(), s3.Patient(d, 3), c.op, "k"); err == nil {
			t.Errorf("%s: no error", c.op)
		}
		if got := strings.Join(seen, " "); got != c.want {
			t.Errorf("%s answered with %s: %s, want %s", c.op, c.code, got, c.want)
		}
	}
}

// TestAnErrorWithStatus200 answers as services sometimes do after a long wait:
// well, and then not.
func TestAnErrorWithStatus200(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an error of S3":       "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>x</Message></Error>",
		"a page of a portal":   "<html><body>Please log in</body></html>",
		"nothing, and no ETag": "",
	} {
		d := answering(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
		for _, op := range []string{"get", "create", "overwrite", "list"} {
			if op == "list" && body == "" {
				continue
			}
			if err := do(t.Context(), s3.Patient(d, 2), op, "k"); err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, vfs.ErrConflict) {
				t.Errorf("%s: %s: %v", name, op, err)
			}
		}
	}
}

func TestReadsAreBounded(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]string{"and says so": fmt.Sprint(vfs.MaxObject + 1), "and does not say so": ""} {
		var sent atomic.Int32 // MiB
		d := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			for range 4 * vfs.MaxObject >> 20 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
				sent.Add(1)
			}
		})
		data, _, err := d.Get(t.Context(), "k", "")
		if !errors.Is(err, fs.ErrInvalid) || data != nil || !strings.Contains(err.Error(), "over the limit") {
			t.Errorf("an object over the limit, %s: %d bytes, %v", name, len(data), err)
		}
		if sent.Load() > 2*vfs.MaxObject>>20 {
			t.Errorf("an object over the limit, %s: %d MiB were taken", name, sent.Load())
		}
	}
}

// The SDK reads lists and refusals whole: these are bounded, too.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	var sent atomic.Int32 // MiB
	d := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		for range 4 * vfs.MaxObject >> 20 {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
			sent.Add(1)
		}
	})
	if err := do(t.Context(), s3.Patient(d, 1), "create", "k"); err == nil {
		t.Error("no error")
	}
	if sent.Load() > 2*vfs.MaxObject>>20 {
		t.Errorf("%d MiB were taken", sent.Load())
	}
}

// A service that names the same page as the next for ever is left.
func TestAListThatDoesNotGoOnIsAnError(t *testing.T) {
	pages := 0
	d := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		if pages++; pages > 50 {
			refuse(w, 403, "Enough", "x")
			return
		}
		io.WriteString(w, "<ListBucketResult><Name>state</Name><IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken></ListBucketResult>")
	})
	if _, err := keys(t, s3.Patient(d, 1), "", ""); err == nil || pages > 3 {
		t.Errorf("%v after %d pages", err, pages)
	}
}

// A pause that the service asks for is kept.
func TestABusyServiceIsLeftAlone(t *testing.T) {
	t.Parallel()
	var asked []time.Time
	d := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		asked = append(asked, time.Now())
		if len(asked) == 1 {
			w.Header().Set("Retry-After", "1")
			refuse(w, 503, "SlowDown", "Please reduce your request rate.")
			return
		}
		w.Header().Set("ETag", `"1"`)
	})
	if err := do(t.Context(), s3.Patient(d, 3), "create", "k"); err != nil {
		t.Fatal(err)
	}
	if pause := asked[1].Sub(asked[0]); pause < time.Second {
		t.Errorf("asked again after %v", pause)
	}
}

func TestACutBodyIsReadAgain(t *testing.T) {
	var n atomic.Int32
	d := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Content-Length", "10")
		if n.Add(1) == 1 {
			io.WriteString(w, "01234")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "0123456789")
	})
	data, _, err := d.Get(t.Context(), "k", "")
	if err != nil || string(data) != "0123456789" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestNotModified(t *testing.T) {
	for name, honoured := range map[string]bool{"304": true, "a service that ignores it": false} {
		bodies := 0
		d := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if honoured && r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(304)
				return
			}
			bodies++
			io.WriteString(w, "data")
		})
		if data, _, err := d.Get(t.Context(), "k", "1"); !errors.Is(err, vfs.ErrNotModified) || data != nil {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if honoured && bodies > 0 {
			t.Errorf("%s: the bytes came all the same", name)
		}
		if data, _, err := d.Get(t.Context(), "k", "0"); err != nil || string(data) != "data" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func TestManyKeysAndOddOnes(t *testing.T) {
	for name, start := range map[string]func(testing.TB) servers.S3{"gofakes3": servers.GoFakeS3, "versitygw": servers.Versity} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			var lists atomic.Int32
			opt := bucket(t, server)
			opt.Endpoint = servers.Proxy(t, server.Endpoint, servers.Faults{Seen: func(r *http.Request) {
				q := r.URL.Query()
				if q.Has("list-type") {
					lists.Add(1)
				}
				if q.Has("list-type") && q.Get("encoding-type") != "url" {
					t.Errorf("a list that cannot hold all keys is asked for: %s", r.URL)
				}
			}})
			d := open(t, opt)
			want := []string{"a b", "a%2Fb", "a+b", "a&b=c", "a<b>", "a'b\"", "a\\b", "ä", "日本/東京", "a:b", "sub/x y", "sub/ü"}
			for i := range 1050 {
				want = append(want, fmt.Sprintf("many/%04d", i))
			}
			var wg sync.WaitGroup
			for part := range slices.Chunk(want, 40) {
				wg.Go(func() {
					for _, key := range part {
						put(t, d, key, "", vfs.Cond{})
					}
				})
			}
			wg.Wait()
			slices.Sort(want)
			for after, least := range map[string]int32{"": 2, "many/0500": 1} {
				lists.Store(0)
				var got []string
				for e, err := range d.List(t.Context(), "", after) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, e.Key)
				}
				i, _ := slices.BinarySearch(want, after+"\x00")
				if diff := cmp.Diff(want[i:], got); diff != "" {
					t.Error(diff)
				}
				if lists.Load() != least {
					t.Errorf("%d pages, want %d", lists.Load(), least)
				}
			}
			var dirs []string
			for e, err := range d.ListDir(t.Context(), "") {
				if err != nil {
					t.Fatal(err)
				}
				dirs = append(dirs, e.Key)
			}
			top := []string{"a b", "a%2Fb", "a&b=c", "a'b\"", "a+b", "a:b", "a<b>", "a\\b", "many/", "sub/", "ä", "日本/"}
			if diff := cmp.Diff(top, dirs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// page is one answer to a list.
type page struct {
	XMLName      xml.Name `xml:"ListBucketResult"`
	Name         string
	EncodingType string `xml:",omitempty"`
	Contents     []struct{ Key, ETag string }
}

func listing(t testing.TB, encoding string, keys ...string) *s3.Driver {
	return answering(t, func(w http.ResponseWriter, _ *http.Request) {
		p := page{Name: "state", EncodingType: encoding}
		for _, key := range keys {
			if encoding == "url" {
				key = url.QueryEscape(key)
			}
			p.Contents = append(p.Contents, struct{ Key, ETag string }{key, `"1"`})
		}
		if err := xml.NewEncoder(w).Encode(p); err != nil {
			t.Error(err)
		}
	})
}

func keys(t testing.TB, d *s3.Driver, prefix, after string) (got []string, last error) {
	t.Helper()
	for e, err := range d.List(t.Context(), prefix, after) {
		if err != nil {
			return got, err
		}
		got = append(got, e.Key)
	}
	return got, nil
}

func TestServicesThatListOtherwise(t *testing.T) {
	got, err := keys(t, listing(t, "", "a", "b+%41", "b/1", "c"), "b", "")
	if diff := cmp.Diff([]string{"b+%41", "b/1"}, got); diff != "" || err != nil {
		t.Errorf("one that ignores prefix and encoding: %v\n%s", err, diff)
	}
	got, err = keys(t, listing(t, "url", "a", "b\x01c", "d e"), "", "a")
	if diff := cmp.Diff([]string{"b\x01c", "d e"}, got); diff != "" || err != nil {
		t.Errorf("one that ignores start-after: %v\n%s", err, diff)
	}
	got, err = keys(t, listing(t, "", "a", "b\x01c", "b!", "b/\x02/d", "d"), "", "")
	if diff := cmp.Diff([]string{"a", "b!", "d"}, got); diff != "" || err != nil {
		t.Errorf("one that writes U+FFFD for what XML has no place for: %v\n%s", err, diff)
	}
	if got, err := keys(t, listing(t, "", "b", "a"), "", ""); !errors.Is(err, errors.ErrUnsupported) || hintOf(err) == "" {
		t.Errorf("one without an order: %q, %v", got, err)
	}
}

// TestConnectionsAreKept makes many requests at once, several times over.
func TestConnectionsAreKept(t *testing.T) {
	var fresh, atOnce, most atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := atOnce.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer atOnce.Add(-1)
		time.Sleep(20 * time.Millisecond)
		w.Header().Set("ETag", `"1"`)
		w.Write(bytes.Repeat([]byte("x"), 3000)) //nolint:errcheck // a test
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			fresh.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	d := open(t, s3.Options{Bucket: "state", Endpoint: server.URL, PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "x"}})
	for range 3 {
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				if err := do(t.Context(), d, "get", "k"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if fresh.Load() > 140 || most.Load() < 64 || most.Load() > 128 {
		t.Errorf("%d connections for 900 requests, %d at once", fresh.Load(), most.Load())
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			<-r.Context().Done()
		}
		w.Header().Set("ETag", `"1"`)
		io.WriteString(w, "data")
	}))
	t.Cleanup(server.Close)
	pool := &http.Transport{}
	d := open(t, s3.Options{
		Bucket: "state", Endpoint: server.URL, PathStyle: true, Keys: s3.Keys{ID: "id", Secret: "x"},
		Transport: pool, Timeout: 50 * time.Millisecond,
	})
	s3.Patient(d, 1)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() { do(t.Context(), d, "get", []string{"k", "slow"}[i%2]) }) //nolint:errcheck // half of them fail
	}
	wg.Wait()
	pool.CloseIdleConnections()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}
