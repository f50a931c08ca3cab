package sftp_test

import (
	"path/filepath"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/sftp"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

func TestConformanceOverAPipe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "store")
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) {
		return open(t, dir, sftp.Options{}), nil
	}, vfstest.Options{})
	if err != nil {
		t.Error(err)
	}
}

func TestConformanceOverSSH(t *testing.T) {
	s := servers.SSHD(t)
	err := vfstest.Test(t.Context(), func() (vfs.Driver, error) {
		d, err := sftp.Open(t.Context(), options(s))
		if err == nil {
			t.Cleanup(func() { d.Close() })
		}
		return d, err
	}, vfstest.Options{})
	if err != nil {
		t.Error(err)
	}
}

func options(s servers.SFTP) sftp.Options {
	return sftp.Options{Address: s.Address, User: s.User, Dir: s.Dir, Identities: []string{s.KeyFile}, KnownHosts: []string{s.KnownHosts}}
}
