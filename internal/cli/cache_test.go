package cli

import "testing"

func TestRemoteStoresAreCachedUnlessForbidden(t *testing.T) {
	given := map[string]string{"HOME": t.TempDir()}
	env := &Env{Getenv: func(name string) string { return given[name] }}
	for url, want := range map[string]bool{
		"s3://bucket/state": true, "sftp://host/state": true, "gs://bucket": true,
		"/srv/state": false, "file:///srv/state": false, "mem://": false, "state": false,
	} {
		if got := env.cache(url) != nil; got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
	given["STATEROOM_NO_CACHE"] = "1"
	if env.cache("s3://bucket/state") != nil {
		t.Error("there is a cache though none is wanted")
	}
	delete(given, "STATEROOM_NO_CACHE")
	env.noCache = true
	if env.cache("s3://bucket/state") != nil {
		t.Error("there is a cache in spite of --no-cache")
	}
	env.noCache = false
	delete(given, "HOME")
	if env.cache("s3://bucket/state") != nil {
		t.Error("there is a cache, and no place for it")
	}
}
