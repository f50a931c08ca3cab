package stores_test

import (
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
	"github.com/stateroom/stateroom/vfs/file"
	"github.com/stateroom/stateroom/vfs/gcs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/s3"
	"github.com/stateroom/stateroom/vfs/sftp"
)

// place is somewhere a store can lie.
type place struct {
	name  string
	start func(t testing.TB) site // makes it, empty
}

// site is an empty place, and the two ways to it.
type site struct {
	open    func() (vfs.Driver, error)
	through func(proxy string) (vfs.Driver, error) // by the URL of a proxy before endpoint; nil: there is no HTTP here

	endpoint string
}

// places are all of them. s3rver is none: no store can be written there.
var places = []place{
	{"mem", func(testing.TB) site {
		d := mem.New(mem.Options{UniqueVersions: true})
		return site{open: func() (vfs.Driver, error) { return d, nil }}
	}},
	{"file", func(t testing.TB) site {
		dir := t.TempDir()
		return site{open: func() (vfs.Driver, error) { return file.Open(dir, file.Options{}) }}
	}},
	{"S3 gofakes3", onS3(servers.GoFakeS3)},
	{"S3 versitygw", onS3(servers.Versity)},
	{"GCS", onGCS(servers.FakeGCS)},
	{"Azure", onAzure},
	{"SFTP", onSFTP},
}

// at is the place of that name.
func at(name string) place {
	for _, p := range places {
		if p.name == name {
			return p
		}
	}
	panic("no place " + name)
}

// onHTTP is a site at an endpoint.
func onHTTP(endpoint string, driver func(endpoint string) (vfs.Driver, error)) site {
	return site{
		open:     func() (vfs.Driver, error) { return driver(endpoint) },
		through:  driver,
		endpoint: endpoint,
	}
}

func onS3(start func(testing.TB) servers.S3) func(testing.TB) site {
	return func(t testing.TB) site {
		s := start(t)
		opt := s3.Options{
			Bucket: s.Bucket(t), Region: s.Region, PathStyle: true,
			Keys: s3.Keys{ID: s.AccessKey, Secret: s.SecretKey},
		}
		return onHTTP(s.Endpoint, func(endpoint string) (vfs.Driver, error) {
			opt := opt
			opt.Endpoint = endpoint
			return s3.Open(t.Context(), opt)
		})
	}
}

func onGCS(start func(testing.TB) servers.GCS) func(testing.TB) site {
	return func(t testing.TB) site {
		g := start(t)
		bucket := g.Bucket(t)
		return onHTTP(g.Endpoint, func(endpoint string) (vfs.Driver, error) {
			getenv := environment(map[string]string{"STORAGE_EMULATOR_HOST": endpoint})
			return gcs.Open(t.Context(), gcs.Options{Bucket: bucket, Getenv: getenv})
		})
	}
}

// honestGCS keeps conditions on DELETE. Where they are ignored, a late delete
// of our own can remove what was committed since, and is then taken for
// another tool's: versions are unique there, so that it cannot be told.
func honestGCS(t testing.TB) servers.GCS { return servers.FakeGCS(t).Honest(t) }

func onAzure(t testing.TB) site {
	a := servers.Azurite(t)
	container := a.Container(t)
	getenv := environment(map[string]string{"AZURE_STORAGE_KEY": a.Key})
	return onHTTP(a.Endpoint, func(endpoint string) (vfs.Driver, error) {
		return azblob.Open(t.Context(), azblob.Options{Account: a.Account, Container: container, Endpoint: endpoint, Getenv: getenv})
	})
}

func onSFTP(t testing.TB) site {
	s := servers.SSHD(t)
	return site{open: func() (vfs.Driver, error) {
		return sftp.Open(t.Context(), sftp.Options{
			Address: s.Address, User: s.User, Dir: s.Dir, Identities: []string{s.KeyFile}, KnownHosts: []string{s.KnownHosts},
		})
	}}
}

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// open opens a place.
func open(t testing.TB, driver func() (vfs.Driver, error)) vfs.Driver {
	t.Helper()
	d, err := driver()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// traitsOf says in words what a driver lacks.
func traitsOf(d vfs.Driver) string {
	traits := vfs.TraitsOf(d)
	text := ""
	for _, lacks := range []struct {
		yes  bool
		word string
	}{{!traits.Conditions, "no conditions"}, {!traits.UniqueVersions, "versions are hashes"}, {!traits.Tags, "no tags"}} {
		if lacks.yes {
			text += lacks.word + "; "
		}
	}
	if text == "" {
		return "all there is"
	}
	return text[:len(text)-2]
}
