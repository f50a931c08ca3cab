package gcs_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// judge is a bucket as the service's reference describes it: all conditions
// hold, metadata comes with bytes through the XML interface only, and a request
// that the reference does not know fails the test.
type judge struct {
	t    *testing.T
	page int // entries on one page of a list

	mu       sync.Mutex
	clock    int64 // the newest generation
	objects  map[string]stored
	requests []*http.Request
}

type stored struct {
	data       []byte
	generation string
	metadata   map[string]string
	encoding   string
	updated    time.Time
}

// newJudge starts a judge and returns the URL of its service. The bucket is
// named "state". What front does, if it is not nil, stands before the judge.
func newJudge(t *testing.T, front func(http.Handler) http.Handler) (*judge, string) {
	t.Helper()
	j := &judge{t: t, page: 1000, clock: 1700000000000000, objects: map[string]stored{}}
	var h http.Handler = j
	if front != nil {
		h = front(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return j, s.URL
}

// parameters are the queries that each kind of request may have.
var parameters = map[string][]string{
	"insert": {"uploadType", "fields", "ifGenerationMatch", "kmsKeyName"},
	"get":    {"fields", "ifGenerationNotMatch"},
	"delete": {"ifGenerationMatch"},
	"list":   {"fields", "prefix", "startOffset", "delimiter", "pageToken"},
	"read":   {},
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, r)
	const objects = "/storage/v1/b/state/o"
	path := r.URL.EscapedPath()
	name, err := url.PathUnescape(strings.TrimPrefix(path, objects+"/"))
	if err != nil || !strings.HasPrefix(path, "/state/") && strings.Count(path, "/") > strings.Count("/upload"+objects, "/") {
		j.t.Errorf("%s %s: a key in the JSON interface is one element of the path", r.Method, path)
	}
	switch {
	case r.Method == http.MethodPost && path == "/upload"+objects:
		j.may(r, "insert")
		j.insert(w, r, body)
	case r.Method == http.MethodGet && path == objects:
		j.may(r, "list")
		j.list(w, r.URL.Query())
	case r.Method == http.MethodGet && strings.HasPrefix(path, objects+"/"):
		j.may(r, "get")
		j.get(w, r, name)
	case r.Method == http.MethodDelete && strings.HasPrefix(path, objects+"/"):
		j.may(r, "delete")
		j.delete(w, r, name)
	case r.Method == http.MethodGet && strings.HasPrefix(path, "/state/"):
		j.may(r, "read")
		j.read(w, r, strings.TrimPrefix(r.URL.Path, "/state/"))
	default:
		j.t.Errorf("the service knows no %s %s", r.Method, path)
		w.WriteHeader(http.StatusBadRequest)
	}
}

func (j *judge) may(r *http.Request, kind string) {
	for name, values := range r.URL.Query() {
		if !slices.Contains(parameters[kind], name) || len(values) != 1 {
			j.t.Errorf("%s with %s=%q", kind, name, values)
		}
	}
}

// refuse answers as the JSON interface does.
func refuse(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-GUploader-UploadID", "ABPtcPq")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error": {"code": %d, "message": %q, "errors": [{"message": %q, "domain": "global", "reason": %q}]}}`,
		status, message, message, reason)
}

// holds reports whether ifGenerationMatch does, and answers where it does not.
func (j *judge) holds(w http.ResponseWriter, r *http.Request, name string) bool {
	q := r.URL.Query()
	if !q.Has("ifGenerationMatch") {
		return true
	}
	want, now := q.Get("ifGenerationMatch"), "0"
	if o, ok := j.objects[name]; ok {
		now = o.generation
	}
	if want != now {
		refuse(w, http.StatusPreconditionFailed, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
		return false
	}
	return true
}

func (j *judge) insert(w http.ResponseWriter, r *http.Request, body []byte) {
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || r.URL.Query().Get("uploadType") != "multipart" {
		j.t.Errorf("an upload of type %q in %q", r.URL.Query().Get("uploadType"), r.Header.Get("Content-Type"))
	}
	parts := multipart.NewReader(strings.NewReader(string(body)), options["boundary"])
	var description struct {
		Name, ContentType, CacheControl, Crc32c string
		Metadata                                map[string]string
	}
	head := j.part(parts)
	data := j.part(parts)
	dec := json.NewDecoder(strings.NewReader(string(head)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&description); err != nil {
		j.t.Errorf("the description %s: %v", head, err)
	}
	if description.Crc32c != crc(data) || description.CacheControl != "no-store" {
		j.t.Errorf("the description %s of %d bytes", head, len(data))
	}
	if !j.holds(w, r, description.Name) {
		return
	}
	j.store(description.Name, stored{data: data, metadata: description.Metadata})
	reply(w, j.describe(description.Name))
}

func (j *judge) part(parts *multipart.Reader) []byte {
	p, err := parts.NextPart()
	if err != nil {
		j.t.Errorf("a part of the upload: %v", err)
		return nil
	}
	text, err := io.ReadAll(p)
	if err != nil {
		j.t.Errorf("a part of the upload: %v", err)
	}
	return text
}

// store keeps an object at a new generation.
func (j *judge) store(name string, o stored) {
	j.clock += 997
	o.generation, o.updated = strconv.FormatInt(j.clock, 10), time.Now().UTC()
	j.objects[name] = o
}

func (j *judge) describe(name string) map[string]any {
	o := j.objects[name]
	return map[string]any{
		"name": name, "generation": o.generation, "size": strconv.Itoa(len(o.data)),
		"updated": o.updated.Format(time.RFC3339Nano), "metadata": o.metadata,
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(v)
}

func (j *judge) get(w http.ResponseWriter, r *http.Request, name string) {
	o, ok := j.objects[name]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "notFound", "No such object: state/"+name)
	case r.URL.Query().Get("ifGenerationNotMatch") == o.generation:
		w.WriteHeader(http.StatusNotModified)
	default:
		reply(w, j.describe(name))
	}
}

func (j *judge) delete(w http.ResponseWriter, r *http.Request, name string) {
	if _, ok := j.objects[name]; !ok {
		refuse(w, http.StatusNotFound, "notFound", "No such object: state/"+name)
	} else if j.holds(w, r, name) {
		delete(j.objects, name)
		w.WriteHeader(http.StatusNoContent)
	}
}

// read is the XML interface's.
func (j *judge) read(w http.ResponseWriter, r *http.Request, name string) {
	o, ok := j.objects[name]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
		return
	}
	h := w.Header()
	h.Set("X-Goog-Generation", o.generation)
	h.Set("X-Goog-Stored-Content-Length", strconv.Itoa(len(o.data)))
	h.Set("X-Goog-Stored-Content-Encoding", "identity")
	h.Add("X-Goog-Hash", "crc32c="+crc(o.data))
	h.Add("X-Goog-Hash", "md5=not/looked/at")
	h.Set("Last-Modified", o.updated.Format(http.TimeFormat))
	if o.encoding != "" {
		h.Set("X-Goog-Stored-Content-Encoding", o.encoding)
		h.Set("Content-Encoding", o.encoding)
		if !strings.Contains(r.Header.Get("Accept-Encoding"), o.encoding) {
			j.t.Errorf("a read that does not accept %s would get other bytes", o.encoding)
		}
	}
	for k, v := range o.metadata {
		h.Set("X-Goog-Meta-"+k, v)
	}
	_, _ = w.Write(o.data)
}

func (j *judge) list(w http.ResponseWriter, q url.Values) {
	names := map[string]bool{}
	for name := range j.objects {
		if !strings.HasPrefix(name, q.Get("prefix")) || name < q.Get("startOffset") {
			continue
		}
		if i := strings.Index(name[len(q.Get("prefix")):], "/"); q.Get("delimiter") != "" && i >= 0 {
			name = name[:len(q.Get("prefix"))+i+1]
		}
		if name > q.Get("pageToken") {
			names[name] = true
		}
	}
	var sorted []string
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	page := map[string]any{}
	if len(sorted) > j.page {
		sorted = sorted[:j.page]
		page["nextPageToken"] = sorted[j.page-1]
	}
	var items []any
	var prefixes []string
	for _, name := range sorted {
		if strings.HasSuffix(name, "/") && q.Get("delimiter") != "" {
			prefixes = append(prefixes, name)
		} else {
			items = append(items, j.describe(name))
		}
	}
	page["items"], page["prefixes"] = items, prefixes
	reply(w, page)
}

func crc(data []byte) string {
	return base64.StdEncoding.EncodeToString(
		binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))))
}
