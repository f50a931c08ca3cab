package backends

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
)

// env is an environment for tests.
func env(pairs ...string) Options {
	return Options{Getenv: func(name string) string {
		for _, pair := range pairs {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}}
}

func TestS3TakesWhatKopsTakes(t *testing.T) {
	keys := []string{"S3_ACCESS_KEY_ID=id", "S3_SECRET_ACCESS_KEY=hunter2"}
	pair := s3.Keys{ID: "id", Secret: "hunter2"}
	for name, c := range map[string]struct {
		url  string
		env  []string
		want s3.Options
	}{
		"amazon: the S3_ keys are of another service": {
			"s3://state/team", append(keys, "S3_REGION=x"),
			s3.Options{Bucket: "state", DeleteConditions: true},
		},
		"a service of one's own": {
			"s3://state/team", append(keys, "S3_ENDPOINT=http://127.0.0.1:9000", "S3_REGION=here"),
			s3.Options{Bucket: "state", Endpoint: "http://127.0.0.1:9000", Region: "here", Keys: pair, PathStyle: true},
		},
		"without a region": {
			"do://state", append(keys, "S3_ENDPOINT=nyc3.digitaloceanspaces.com"),
			s3.Options{Bucket: "state", Endpoint: "nyc3.digitaloceanspaces.com", Region: "us-east-1", Keys: pair, PathStyle: true},
		},
		"an endpoint by its region": {
			"scw://state", append(keys, "S3_REGION=fr-par"),
			s3.Options{Bucket: "state", Endpoint: "https://s3.fr-par.scw.cloud", Region: "fr-par", Keys: pair, PathStyle: true},
		},
		"hetzner": {
			"hos://state?region=fsn1", keys,
			s3.Options{Bucket: "state", Endpoint: "https://fsn1.your-objectstorage.com", Region: "fsn1", Keys: pair, PathStyle: true},
		},
		"amazon, while S3_ENDPOINT is set for another store": {
			"s3://state?endpoint=aws&region=eu-west-1&profile=ops", append(keys, "S3_ENDPOINT=http://127.0.0.1:9000"),
			s3.Options{Bucket: "state", Region: "eu-west-1", Profile: "ops", DeleteConditions: true},
		},
		"another service with the keys of a profile": {
			"s3://state?endpoint=https://s3.example.com&profile=example", keys,
			s3.Options{Bucket: "state", Endpoint: "https://s3.example.com", Profile: "example", PathStyle: true},
		},
		"all the rest": {
			"s3://state?sse=aws:kms&kms-key=alias/state&path-style=true&requester-pays=true&delete-conditions=false", []string{"KOPS_STATE_S3_ACL= bucket-owner-full-control "},
			s3.Options{Bucket: "state", Encryption: "aws:kms", KMSKey: "alias/state", ACL: "bucket-owner-full-control", PathStyle: true, RequesterPays: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := parseAddress(c.url, s3Parameters...)
			if err != nil {
				t.Fatal(err)
			}
			scheme, _, _ := strings.Cut(c.url, ":")
			got, err := s3Settings(scheme, a, env(c.env...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestS3AddressesAreRefusedInWords(t *testing.T) {
	for url, want := range map[string]string{
		"s3://":                                   `open store s3://: "" is not a name of a bucket`,
		"s3://id:hunter2@state/x":                 "open store s3://state/x: it has a user in it",
		"s3://state?secret-key=hunter2":           `open store s3://state: parameter "secret-key" is unknown here, or there twice`,
		"s3://state?path-style=maybe":             "open store s3://state: parameter path-style is neither true nor false",
		"s3://state/a//b":                         `open store s3://state/a//b: "a//b" cannot be a folder in it`,
		"s3://state?kms-key=x":                    "open store s3://state: a KMS key is given, but not that it is to be used",
		"s3://state?endpoint=ftp://x":             "open store s3://state: the endpoint ftp://x is not that of a service",
		"s3://state?endpoint=https://u:hunter2@x": "open store s3://state: the endpoint x holds credentials",
		"s3://state--use1-az4--x-s3":              "open store s3://state--use1-az4--x-s3: directory buckets list their objects in no order, which a store needs",
		"linode://state?region=us-east":           "open store linode://state: a store of linode:// needs the service's endpoint",
		"do://state":                              "open store do://state: a store of do:// needs the service's endpoint",
	} {
		_, err := Open(t.Context(), url, env("S3_ACCESS_KEY_ID=id", "S3_SECRET_ACCESS_KEY=hunter2"))
		if err == nil || err.Error() != want {
			t.Errorf("Open(%q):\n     %v\nwant %s", url, err, want)
			continue
		}
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || hinted.Hint() == "" {
			t.Errorf("Open(%q): no hint with %v", url, err)
		}
		if strings.Contains(err.Error()+hinted.Hint(), "hunter2") {
			t.Errorf("Open(%q) shows the secret", url)
		}
	}
}

// TestStoresDoNotMix opens two stores in one process, at two services and with
// a pair of keys for each, and works on both at once. What signs a request is
// seen by a proxy before each.
func TestStoresDoNotMix(t *testing.T) {
	ctx := t.Context()
	var stores []*vfs.FS
	for _, id := range []string{"ada", "grace"} {
		server := servers.GoFakeS3(t)
		url := servers.Proxy(t, server.Endpoint, servers.Faults{Seen: func(r *http.Request) {
			if !strings.Contains(r.Header.Get("Authorization"), " Credential="+id+"/") {
				t.Errorf("%s: %s %s is signed by %s", id, r.Method, r.URL, r.Header.Get("Authorization"))
			}
		}})
		f, err := Open(ctx, "s3://"+server.Bucket(t)+"/team", env("S3_ENDPOINT="+url, "S3_ACCESS_KEY_ID="+id, "S3_SECRET_ACCESS_KEY=x"))
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, f)
	}
	var wg sync.WaitGroup
	for i, f := range stores {
		for n := range 8 {
			wg.Go(func() {
				text := fmt.Sprint(i, n)
				if _, err := f.Put(ctx, fmt.Sprint("k", n), []byte(text), vfs.IfAbsent(), ""); err != nil {
					t.Error(err)
				}
				if got, _, err := f.Get(ctx, fmt.Sprint("k", n)); err != nil || string(got) != text {
					t.Errorf("store %d: %q, %v, want %q", i, got, err, text)
				}
			})
		}
	}
	wg.Wait()
}
