package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs/s3"
)

// amazon answers as Amazon does, without a network. It notes which hosts are
// asked.
type amazon struct{ hosts []string }

func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	a.hosts = append(a.hosts, r.URL.Host+r.URL.Path)
	body := ""
	switch q := r.URL.Query(); {
	case strings.HasPrefix(r.URL.Host, "sts."):
		body = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1234:user/ada</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	case q.Has("versioning"):
		body = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`
	case q.Has("encryption"):
		body = `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>` +
			`<KMSMasterKeyID>alias/state</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`
	}
	h := http.Header{"Etag": {`"1"`}, "Server": {"AmazonS3"}, "Date": {"Sun, 22 Nov 2026 12:00:00 GMT"}}
	return &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

func TestAmazonIsReachedAsKopsReachesIt(t *testing.T) {
	home(t, "[profile ops]\nregion = eu-west-1\naws_access_key_id = OPS\naws_secret_access_key = hunter2\n"+
		"[profile china]\nregion = cn-north-1\naws_access_key_id = OPS\naws_secret_access_key = hunter2\n")
	for name, c := range map[string]struct {
		opt  s3.Options
		want string
	}{
		"both families of addresses": {s3.Options{Profile: "ops"}, "state.s3.dualstack.eu-west-1.amazonaws.com/k"},
		"another region":             {s3.Options{Profile: "ops", Region: "ap-south-1"}, "state.s3.dualstack.ap-south-1.amazonaws.com/k"},
		"another partition":          {s3.Options{Profile: "china"}, "state.s3.dualstack.cn-north-1.amazonaws.com.cn/k"},
		"an isolated one":            {s3.Options{Profile: "ops", Region: "us-iso-east-1"}, "state.s3.us-iso-east-1.c2s.ic.gov/k"},
		"no region: it is found out": {s3.Options{Keys: s3.Keys{ID: "id", Secret: "x"}}, "state.s3.dualstack.us-east-1.amazonaws.com/k"},
		"the bucket in the path":     {s3.Options{Profile: "ops", PathStyle: true}, "s3.dualstack.eu-west-1.amazonaws.com/state/k"},
		"a host for the bucket":      {s3.Options{Endpoint: "https://s3.example.com", Profile: "ops"}, "state.s3.example.com/k"},
		"an endpoint without scheme": {s3.Options{Endpoint: "nyc3.digitaloceanspaces.com", Profile: "ops", PathStyle: true}, "nyc3.digitaloceanspaces.com/state/k"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &amazon{}
			c.opt.Bucket, c.opt.Transport = "state", a
			if err := do(t.Context(), open(t, c.opt), "create", "k"); err != nil {
				t.Fatal(err)
			}
			if len(a.hosts) != 1 || a.hosts[0] != c.want {
				t.Errorf("asked %q, want %s once", a.hosts, c.want)
			}
		})
	}
}

func TestWhatDoctorIsTold(t *testing.T) {
	own := bucket(t, servers.Versity(t)) // before HOME is another: its program is kept there
	home(t, "")
	t.Setenv("AWS_ACCESS_KEY_ID", "ADA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	a := &amazon{}
	about := open(t, s3.Options{Bucket: "state", Transport: a}).About(t.Context())
	want := "{Amazon S3 <nil>} {environment (AWS_ACCESS_KEY_ID) <nil>} {arn:aws:iam::1234:user/ada <nil>} {on <nil>} {aws:kms with key alias/state <nil>}"
	got := fmt.Sprint(about.Service, about.Credentials, about.Identity, about.Versioning, about.Encryption)
	if got != want || about.Clock.UTC().Format(time.DateTime) != "2026-11-22 12:00:00" {
		t.Errorf("%s %s\nwant %s", got, about.Clock, want)
	}

	about = open(t, own).About(t.Context())
	for what, told := range map[string]string{"credentials": about.Credentials.Value, "identity": about.Identity.Value, "service": about.Service.Value, "versioning": about.Versioning.Value} {
		if told == "" || strings.Contains(told, "testtest1") {
			t.Errorf("%s: %q", what, told)
		}
	}
	t.Logf("%+v", about)
}

// TestStoresOfTwoProfiles opens two buckets with the keys of two profiles.
func TestStoresOfTwoProfiles(t *testing.T) {
	home(t, "[profile one]\nregion = eu-west-1\naws_access_key_id = ONE\naws_secret_access_key = x\n"+
		"[profile two]\nregion = eu-west-2\naws_access_key_id = TWO\naws_secret_access_key = y\naws_session_token = z\n")
	server := servers.GoFakeS3(t)
	for profile, want := range map[string]string{"one": "Credential=ONE/", "two": "Credential=TWO/"} {
		opt := bucket(t, server)
		opt.Keys, opt.Profile = s3.Keys{}, profile
		opt.Endpoint = servers.Proxy(t, server.Endpoint, servers.Faults{Seen: func(r *http.Request) {
			token := r.Header.Get("X-Amz-Security-Token")
			if !strings.Contains(r.Header.Get("Authorization"), want) || (token == "z") != (profile == "two") {
				t.Errorf("%s: %s, token %q", profile, r.Header.Get("Authorization"), token)
			}
		}})
		if err := do(t.Context(), open(t, opt), "create", "k"); err != nil {
			t.Error(err)
		}
	}
}
