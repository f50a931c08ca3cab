package azblob_test

import (
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/azblob"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

func TestConformance(t *testing.T) {
	s := servers.Azurite(t)
	name := s.Container(t)
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return open(t, s, name), nil }, vfstest.Options{})
	if err != nil {
		t.Error(err)
	}
}

func open(t testing.TB, s servers.Azure, name string) *azblob.Driver {
	t.Helper()
	d, err := azblob.Open(t.Context(), azblob.Options{
		Account: s.Account, Container: name,
		Getenv: env{"AZURE_STORAGE_CONNECTION_STRING": s.ConnectionString()}.get,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type env map[string]string

func (e env) get(name string) string { return e[name] }
