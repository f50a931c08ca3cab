package sftp_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs/sftp"
)

// An agent that says nothing, as one that waits for a person, keeps nobody from
// giving up.
func TestAnAgentThatSaysNothingIsGivenUp(t *testing.T) {
	s := servers.SSHD(t)
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	opt := options(s)
	opt.Getenv = func(name string) string { return map[string]string{"SSH_AUTH_SOCK": socket}[name] }
	opt.Identities = nil
	d, err := sftp.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { _, _, err := d.Get(ctx, key, ""); done <- err }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it was let in without a key")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the agent for ever")
	}
}
