package bundle_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/bundle"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func demoRelease() *bundle.Release {
	_, digest := demo().Encode()
	return &bundle.Release{
		Cluster: "demo.example.com", ClusterID: "6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10", Commit: 42,
		Groups:      map[string]bundle.Digest{"nodes-main": bundle.DigestOf(nil), "control-plane-main": digest},
		PollSeconds: 300, Issued: noon,
	}
}

func demoBootstrap() *bundle.Bootstrap {
	return &bundle.Bootstrap{
		Store: "s3://example-state", Cluster: "demo.example.com", ClusterID: "6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10",
		Group: "control-plane-main", ReleaseKey: string(bundle.DigestOf([]byte("key"))), MinCommit: 7,
	}
}

func demoReport() *bundle.Report {
	r := demoRelease()
	return &bundle.Report{
		Node: "host-1", Group: "control-plane-main", Address: "127.4.5.6", Time: noon.Add(time.Minute), Commit: 42, Digest: r.Groups["control-plane-main"],
		Phase:  bundle.PhaseFailed,
		Failed: &bundle.Failure{Commit: 43, Digest: bundle.DigestOf(nil), Service: "kube-apiserver", Reason: "exited with status 1", LastWords: "enable-admission-plugins plugin \"Nope\" is unknown\n"},
		Services: []bundle.ServiceStatus{
			{Name: "etcd-main", PID: 812, Started: noon, State: "ready"},
			{Name: "kube-apiserver", State: "stopped"},
		},
		AgentVersion: "0.1.0",
	}
}

func demoCatalogue() *bundle.Catalogue {
	return &bundle.Catalogue{Versions: []bundle.CatalogueVersion{
		{Version: "1.37.2", OS: "linux", Arch: "amd64", Assets: demo().Assets},
		{Version: "1.36.4", OS: "linux", Arch: "amd64", Assets: demo().Assets[:1]},
	}}
}

// formats are the five formats of this package: how one is read and written
// again, and the largest that may be.
var formats = []struct {
	name  string
	limit int
	again func(data []byte) ([]byte, error)
	demo  func() []byte
}{
	{"bundle", bundle.MaxBundle, func(data []byte) ([]byte, error) {
		b, err := bundle.Decode(data, bundle.DigestOf(data))
		if err != nil {
			return nil, err
		}
		data, _ = b.Encode()
		return data, nil
	}, func() []byte { data, _ := demo().Encode(); return data }},
	{"release", bundle.MaxRelease, func(data []byte) ([]byte, error) {
		r, err := bundle.DecodeRelease(data)
		if err != nil {
			return nil, err
		}
		return r.Encode(), nil
	}, func() []byte { return demoRelease().Encode() }},
	{"bootstrap", bundle.MaxBootstrap, func(data []byte) ([]byte, error) {
		b, err := bundle.DecodeBootstrap(data)
		if err != nil {
			return nil, err
		}
		return b.Encode()
	}, func() []byte { data, _ := demoBootstrap().Encode(); return data }},
	{"report", bundle.MaxReport, func(data []byte) ([]byte, error) {
		r, err := bundle.DecodeReport(data)
		if err != nil {
			return nil, err
		}
		return r.Encode(), nil
	}, func() []byte { return demoReport().Encode() }},
	{"catalogue", bundle.MaxCatalogue, func(data []byte) ([]byte, error) {
		c, err := bundle.ParseCatalogue(data)
		if err != nil {
			return nil, err
		}
		return c.Encode(), nil
	}, func() []byte { return demoCatalogue().Encode() }},
}

var freeze = flag.Bool("freeze", false, "write the examples of a new format to testdata; those of a released one stay for ever")

// What an earlier version wrote must be read by every later one, to the byte.
func TestFrozenExamplesDecode(t *testing.T) {
	for _, f := range formats {
		file := filepath.Join("testdata", "v1", f.name+".json")
		if *freeze {
			if err := os.WriteFile(file, f.demo(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.again(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if diff := cmp.Diff(string(data), string(again)); diff != "" {
			t.Errorf("%s is written differently now:\n%s", file, diff)
		}
		if diff := cmp.Diff(string(data), string(f.demo())); diff != "" {
			t.Errorf("%s: the same value encodes differently now:\n%s", file, diff)
		}
	}
}

// demoDrift is a report that needs format 2.
func demoDrift() *bundle.Report {
	r := demoReport()
	r.Drift = []bundle.Drift{
		{Kind: bundle.DriftService, Name: "kube-scheduler", What: "ended: killed by signal 9", Count: 2, Last: noon.Add(time.Minute)},
		{Kind: bundle.DriftFile, Name: "etc/kubernetes/scheduler.yaml", What: "its content was changed", Count: 1, Last: noon},
	}
	return r
}

func TestAReportWithDriftIsOfFormat2(t *testing.T) {
	file := filepath.Join("testdata", "v2", "report.json")
	if *freeze {
		if err := os.WriteFile(file, demoDrift().Encode(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := bundle.DecodeReport(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(demoDrift().Drift, r.Drift); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(string(data), string(r.Encode())); diff != "" {
		t.Errorf("written differently now:\n%s", diff)
	}
	first := strings.Replace(string(data), `"format": 2`, `"format": 1`, 1)
	if _, err := bundle.DecodeReport([]byte(first)); err == nil || !strings.Contains(err.Error(), `unknown field "drift"`) {
		t.Errorf("drift in format 1: %v", err)
	}
	third := strings.Replace(string(data), `"format": 2`, `"format": 3`, 1)
	newer := new(bundle.FormatError)
	if _, err := bundle.DecodeReport([]byte(third)); !errors.As(err, &newer) || err.Error() != "report was written by a newer Stateroom (format 3, this one reads 2)" {
		t.Errorf("format 3: %v", err)
	}
}

// Every format refuses the same things, and says which.
func TestDecodersAreStrict(t *testing.T) {
	for _, f := range formats {
		good := string(f.demo())
		for name, c := range map[string]struct{ data, want string }{
			"unknown field":   {strings.Replace(good, "\n}\n", ",\n  \"colour\": 1\n}\n", 1), `unknown field "colour"`},
			"field twice":     {strings.Replace(good, "\"format\": 1,", "\"format\": 1, \"format\": 1,", 1), `"format" is given twice`},
			"other letters":   {strings.Replace(good, "\"format\": 1,", "\"Format\": 1,", 1), `unknown field "Format"`},
			"null":            {strings.Replace(good, "\"format\": 1,", "\"format\": 1, \"cluster\": null,", 1), ``},
			"trailing bytes":  {good + "{}", `after top-level value`},
			"cut short":       {good[:len(good)-3], `unexpected end`},
			"empty":           {"", `unexpected end`},
			"no format":       {strings.Replace(good, "\"format\": 1,", "", 1), f.name + ` has no format number`},
			"format zero":     {strings.Replace(good, "\"format\": 1,", "\"format\": 0,", 1), f.name + ` has no format number`},
			"format a string": {strings.Replace(good, "\"format\": 1,", "\"format\": \"1\",", 1), `format`},
			"not UTF-8":       {strings.Replace(good, "\"format\": 1,", "\"format\": 1, \"\xff\": 1,", 1), f.name + ` is not UTF-8`},
			"a list":          {"[]", `cannot unmarshal array`},
			"too large":       {good + strings.Repeat(" ", f.limit), `is larger than`},
		} {
			_, err := f.again([]byte(c.data))
			if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s: want %s: %v", f.name, name, c.want, err)
			}
		}
	}
}

func TestNewerFormatsAreRefusedWithAHint(t *testing.T) {
	for _, f := range formats {
		// A newer format may hold what this program has never heard of.
		reads := 1
		if f.name == "report" {
			reads = 2
		}
		_, err := f.again(fmt.Appendf(nil, `{"format": %d, "colour": {"red": null}}`, reads+1))
		want := fmt.Sprintf("%s was written by a newer Stateroom (format %d, this one reads %d)", f.name, reads+1, reads)
		var newer *bundle.FormatError
		if !errors.As(err, &newer) || err.Error() != want || newer.Hint() != "upgrade stateroom" {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

func TestBundleAndReleaseMustBeCanonical(t *testing.T) {
	for _, f := range formats {
		var compact strings.Builder
		var v map[string]json.RawMessage
		if err := json.Unmarshal(f.demo(), &v); err != nil {
			t.Fatal(err)
		}
		_ = json.NewEncoder(&compact).Encode(v) // other layout, other order of fields
		_, err := f.again([]byte(compact.String()))
		if strict := f.name == "bundle" || f.name == "release"; strict != (err != nil) {
			t.Errorf("%s in another layout: %v", f.name, err)
		}
	}
}

func TestReleaseRules(t *testing.T) {
	for want, spoil := range map[string]func(r *bundle.Release){
		`cluster: ""`:        func(r *bundle.Release) { r.Cluster = "" },
		`clusterId: "a b"`:   func(r *bundle.Release) { r.ClusterID = "a b" },
		`commit: 0`:          func(r *bundle.Release) { r.Commit = 0 },
		`groups: "A"`:        func(r *bundle.Release) { r.Groups["A"] = bundle.DigestOf(nil) },
		`is not a digest`:    func(r *bundle.Release) { r.Groups["nodes-main"] = "sha256:0" },
		`pollSeconds: 0`:     func(r *bundle.Release) { r.PollSeconds = 0 },
		`issued: no time`:    func(r *bundle.Release) { r.Issued = time.Time{} },
		`redirect is not`:    func(r *bundle.Release) { r.Redirect = "s3://key:word@bucket" },
		`signature is not`:   func(r *bundle.Release) { r.Signature = "a\nb" },
		`issued: no time; s`: func(r *bundle.Release) { r.Issued = noon.AddDate(9000, 0, 0); r.Signature = "\x1b" },
	} {
		r := demoRelease()
		spoil(r)
		if _, err := bundle.DecodeRelease(r.Encode()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

func TestSignatureIsOverEverythingElse(t *testing.T) {
	r := demoRelease()
	unsigned := string(r.SignedBytes())
	if unsigned != string(r.Encode()) {
		t.Error("an unsigned release is not its own signed bytes")
	}
	r.Signature = "signature"
	if string(r.SignedBytes()) != unsigned || string(r.Encode()) == unsigned {
		t.Error("the signature is part of what is signed")
	}
	r.PollSeconds++
	if string(r.SignedBytes()) == unsigned {
		t.Error("a field is not part of what is signed")
	}
}

func TestReleasesOnlyGoUp(t *testing.T) {
	r := demoRelease()
	if err := errors.Join(r.Follows(r.ClusterID, 0), r.Follows(r.ClusterID, 42)); err != nil {
		t.Error(err)
	}
	var stale *bundle.StaleError
	if err := r.Follows(r.ClusterID, 43); !errors.As(err, &stale) {
		t.Errorf("an old release is followed: %v", err)
	}
	if err := r.Follows("another", 0); err == nil {
		t.Error("another cluster's release is followed")
	}
}

func TestBootstrapFitsAndHoldsNoSecret(t *testing.T) {
	b := demoBootstrap()
	b.Store = "s3://" + strings.Repeat("b", 63) + "/state"
	b.Cluster, b.ClusterID = strings.Repeat("c", 60)+".example.com", "6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10"
	data, err := b.Encode()
	if err != nil || len(data) >= 512 {
		t.Errorf("a large but ordinary bootstrap file has %d bytes: %v", len(data), err)
	}
	b.Cluster = strings.Repeat("c", 250)
	if _, err := b.Encode(); err == nil {
		t.Error("a bootstrap file of more than 511 bytes is written")
	}
	for _, store := range []string{"", "sftp://ada:hunter2@host/dir", "http://ada@host/", "a\nb"} {
		b := demoBootstrap()
		b.Store = store
		if _, err := b.Encode(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", store, err)
		}
	}
	for _, store := range []string{"/var/lib/my state", "file:///srv/state", "do://bucket", "azureblob://account/container/key", "../state"} {
		b := demoBootstrap()
		b.Store = store
		if _, err := b.Encode(); err != nil {
			t.Errorf("%q: %v", store, err)
		}
	}
}

func TestReportsAreCleaned(t *testing.T) {
	r := demoReport()
	r.Address = "127.0.0.1\n\x1b[2J\x1b]0;title\a"
	r.Failed.Reason = "exit\x1b[31m \u202estatus\xff 1\r\n"
	r.Failed.LastWords = strings.Repeat("noise, noise\n", 500) + "\x1b[1;31mE1122 the last\tword\x1b[0m\x00\n"
	r.Services[0].State = strings.Repeat("å", 60)
	got, err := bundle.DecodeReport(r.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if want := "127.0.0.1 ]0;title"; got.Address != want {
		t.Errorf("address %q", got.Address)
	}
	if want := "exit status\uFFFD 1 "; got.Failed.Reason != want {
		t.Errorf("reason %q", got.Failed.Reason)
	}
	last := got.Failed.LastWords
	if len(last) > bundle.MaxLastWords || len(last) < 2000 || !strings.HasPrefix(last, "noise, noise\n") || !strings.HasSuffix(last, "\nE1122 the last\tword") {
		t.Errorf("last words, %d bytes: %q", len(last), last)
	}
	if got.Services[0].State != strings.Repeat("å", 31) {
		t.Errorf("state %q", got.Services[0].State)
	}
	if again := got.Encode(); string(again) != string(r.Encode()) {
		t.Error("cleaning a clean report changes it")
	}
}

func TestReportsNeverGrowTooLarge(t *testing.T) {
	r := demoReport()
	huge := strings.Repeat("\\\"<\u2028\t", 1<<14)
	r.Address, r.AgentVersion, r.Failed.Service, r.Failed.Reason, r.Failed.LastWords = huge, huge, huge, huge, huge
	for range 500 {
		r.Services = append(r.Services, bundle.ServiceStatus{Name: huge, State: huge, PID: 1 << 30, Started: noon})
	}
	for range 500 {
		r.Drift = append(r.Drift, bundle.Drift{Kind: bundle.DriftFile, Name: huge, What: huge, Count: 1 << 30, Last: noon})
	}
	r.Time = noon.AddDate(9000, 0, 0)
	if _, err := bundle.DecodeReport(r.Encode()); err != nil {
		t.Error(err)
	}
}

func TestReportRules(t *testing.T) {
	for want, spoil := range map[string]func(r *bundle.Report){
		`node: "../x"`:    func(r *bundle.Report) { r.Node = "../x" },
		`group: ""`:       func(r *bundle.Report) { r.Group = "" },
		`commit: -1`:      func(r *bundle.Report) { r.Commit = -1 },
		`phase "fine"`:    func(r *bundle.Report) { r.Phase = "fine" },
		`kind "fire"`:     func(r *bundle.Report) { r.Drift = []bundle.Drift{{Kind: "fire", Count: 1}} },
		`count 0`:         func(r *bundle.Report) { r.Drift = []bundle.Drift{{Kind: bundle.DriftFile}} },
		`is not a digest`: func(r *bundle.Report) { r.Failed.Digest = "sha256:xyz" },
	} {
		r := demoReport()
		spoil(r)
		if _, err := bundle.DecodeReport(r.Encode()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

func TestCatalogueKnowsItsVersions(t *testing.T) {
	c := demoCatalogue()
	for _, version := range []string{"1.37.2", "v1.37.2"} {
		assets, err := c.For(version, "linux", "amd64")
		if err != nil || len(assets) != 2 {
			t.Errorf("%s: %v, %v", version, assets, err)
		}
	}
	_, err := c.For("1.35.0", "linux", "amd64")
	if want := "no programs for kubernetes 1.35.0 on linux/amd64; there are programs for: 1.37.2, 1.36.4"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if _, err := c.For("1.37.2", "linux", "arm64"); err == nil || !strings.HasSuffix(err.Error(), "for: none") {
		t.Error(err)
	}
	c.Versions[1].Version = "1.37.2"
	if _, err := bundle.ParseCatalogue(c.Encode()); err == nil || !strings.Contains(err.Error(), "1.37.2 linux/amd64 is there twice") {
		t.Error(err)
	}
}

func FuzzBundle(f *testing.F)    { fuzzDecoder(f, "bundle") }
func FuzzRelease(f *testing.F)   { fuzzDecoder(f, "release") }
func FuzzBootstrap(f *testing.F) { fuzzDecoder(f, "bootstrap") }
func FuzzReport(f *testing.F)    { fuzzDecoder(f, "report") }
func FuzzCatalogue(f *testing.F) { fuzzDecoder(f, "catalogue") }

// A decoder never panics, and what it lets pass survives a round trip.
func fuzzDecoder(f *testing.F, name string) {
	i := 0
	for formats[i].name != name {
		i++
	}
	f.Add(formats[i].demo())
	f.Add([]byte(`{"format":1,"node":"a","group":"b","phase":"ready","time":"9999-12-31T23:59:59-05:00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := formats[i].again(data)
		if err != nil {
			return
		}
		twice, err := formats[i].again(once)
		if err != nil {
			t.Fatalf("reads %q, but not what it writes of it: %v", data, err)
		}
		if string(once) != string(twice) {
			t.Fatalf("%q is not stable: %q", once, twice)
		}
	})
}

// The examples in the specifications are what they say they are.
func TestExamplesInTheSpecificationsDecode(t *testing.T) {
	for _, f := range formats {
		page, err := os.ReadFile(filepath.Join("..", "docs", "formats", f.name+".md"))
		if err != nil {
			t.Fatal(err)
		}
		_, example, _ := strings.Cut(string(page), "\n## Example\n\n    {\n")
		if example == "" {
			continue // the page points to testdata
		}
		example = "{\n" + strings.ReplaceAll("\n"+example, "\n    ", "\n")[1:]
		again, err := f.again([]byte(example))
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
		if diff := cmp.Diff(example, string(again)); diff != "" {
			t.Errorf("%s: the example is not canonical:\n%s", f.name, diff)
		}
	}
}

// What no host would read is not made.
func TestAReleaseOfTooManyGroupsIsInvalid(t *testing.T) {
	r := bundle.Release{Cluster: "demo.example.com", ClusterID: "x", Commit: 1, PollSeconds: 300, Issued: time.Now(), Groups: map[string]bundle.Digest{}}
	for i := range 700 {
		if err := r.Validate(); err != nil {
			if !strings.Contains(err.Error(), "is larger than 65536 bytes") || i < 500 {
				t.Errorf("%d groups: %v", i, err)
			}
			if data := r.Encode(); len(data) <= bundle.MaxRelease {
				t.Errorf("%d bytes are refused", len(data))
			}
			return
		}
		r.Groups[fmt.Sprintf("nodes-of-the-zone-%d", i)] = bundle.DigestOf(nil)
	}
	t.Error("700 groups are valid")
}
