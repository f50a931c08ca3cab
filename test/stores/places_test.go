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
	name string

	// start makes an empty place and says how to open it. With faults, HTTP
	// requests pass a proxy that does them; where there is no HTTP, the drivers
	// come back as they are, and faulty is false.
	start func(t testing.TB, f *servers.Faults) (open func() (vfs.Driver, error), faulty bool)
}

// places are all of them. s3rver is none: no store can be written there.
var places = []place{
	{"mem", func(testing.TB, *servers.Faults) (func() (vfs.Driver, error), bool) {
		d := mem.New(mem.Options{UniqueVersions: true})
		return func() (vfs.Driver, error) { return d, nil }, false
	}},
	{"file", func(t testing.TB, _ *servers.Faults) (func() (vfs.Driver, error), bool) {
		dir := t.TempDir()
		return func() (vfs.Driver, error) { return file.Open(dir, file.Options{}) }, false
	}},
	{"S3 gofakes3", onS3(servers.GoFakeS3)},
	{"S3 versitygw", onS3(servers.Versity)},
	{"GCS", onGCS},
	{"Azure", onAzure},
	{"SFTP", func(t testing.TB, _ *servers.Faults) (func() (vfs.Driver, error), bool) {
		s := servers.SSHD(t)
		return func() (vfs.Driver, error) {
			return sftp.Open(t.Context(), sftp.Options{
				Address: s.Address, User: s.User, Dir: s.Dir, Identities: []string{s.KeyFile}, KnownHosts: []string{s.KnownHosts},
			})
		}, false
	}},
}

// through puts a proxy before an endpoint, if there are faults to be done.
func through(t testing.TB, endpoint string, f *servers.Faults) (string, bool) {
	if f == nil {
		return endpoint, false
	}
	return servers.Proxy(t, endpoint, *f), true
}

func onS3(start func(testing.TB) servers.S3) func(testing.TB, *servers.Faults) (func() (vfs.Driver, error), bool) {
	return func(t testing.TB, f *servers.Faults) (func() (vfs.Driver, error), bool) {
		s := start(t)
		opt := s3.Options{
			Bucket: s.Bucket(t), Region: s.Region, PathStyle: true,
			Keys: s3.Keys{ID: s.AccessKey, Secret: s.SecretKey},
		}
		var faulty bool
		opt.Endpoint, faulty = through(t, s.Endpoint, f)
		return func() (vfs.Driver, error) { return s3.Open(t.Context(), opt) }, faulty
	}
}

func onGCS(t testing.TB, f *servers.Faults) (func() (vfs.Driver, error), bool) {
	g := servers.FakeGCS(t)
	bucket := g.Bucket(t)
	endpoint, faulty := through(t, g.Endpoint, f)
	getenv := environment(map[string]string{"STORAGE_EMULATOR_HOST": endpoint})
	return func() (vfs.Driver, error) {
		return gcs.Open(t.Context(), gcs.Options{Bucket: bucket, Getenv: getenv})
	}, faulty
}

func onAzure(t testing.TB, f *servers.Faults) (func() (vfs.Driver, error), bool) {
	a := servers.Azurite(t)
	container := a.Container(t)
	endpoint, faulty := through(t, a.Endpoint, f)
	getenv := environment(map[string]string{"AZURE_STORAGE_KEY": a.Key})
	return func() (vfs.Driver, error) {
		return azblob.Open(t.Context(), azblob.Options{Account: a.Account, Container: container, Endpoint: endpoint, Getenv: getenv})
	}, faulty
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
