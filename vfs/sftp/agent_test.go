package sftp_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/agent"

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
	d := must(t, opt)
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

// An agent with more keys than a server lets one try.
func TestAnAgentWithTooManyKeys(t *testing.T) {
	s := servers.SSHD(t)
	keys := agent.NewKeyring()
	for range 8 {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err == nil {
			err = keys.Add(agent.AddedKey{PrivateKey: key})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	opt := options(s)
	opt.Getenv = func(name string) string { return map[string]string{"SSH_AUTH_SOCK": socket}[name] }
	opt.Identities = nil
	_, _, err = must(t, opt).Get(t.Context(), key, "")
	var hint interface{ Hint() string }
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "identity=") {
		t.Errorf("%v, and no hint at identity=", err)
	}
	opt.Identities = []string{s.KeyFile}
	if _, _, err := must(t, opt).Get(t.Context(), key, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with the key named: %v", err)
	}
}

func must(t *testing.T, opt sftp.Options) *sftp.Driver {
	t.Helper()
	d, err := sftp.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
