package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// usual are the names of keys that are tried if none is given.
var usual = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// login is what there is to log in with.
type login struct {
	methods []ssh.AuthMethod
	close   func()
	locked  []string // keys with a passphrase
	tried   []string // keys, and the agent
}

// login gathers the keys of the agent and of files. A password is never used.
func (d *dialer) login(ctx context.Context) (*login, error) {
	l := &login{close: func() {}}
	var held func() ([]ssh.Signer, error)
	if socket := d.Getenv("SSH_AUTH_SOCK"); socket != "" {
		var dial net.Dialer
		if conn, err := dial.DialContext(ctx, "unix", socket); err == nil {
			l.close = func() { _ = conn.Close() }
			held = agent.NewClient(conn).Signers
			l.tried = append(l.tried, "the agent")
		}
	}
	var files []ssh.Signer
	for _, path := range d.keyFiles() {
		s, err := readKey(path)
		var locked *ssh.PassphraseMissingError
		switch {
		case errors.As(err, &locked):
			l.locked = append(l.locked, path)
		case errors.Is(err, fs.ErrNotExist) && len(d.Identities) == 0:
		case err != nil:
			l.close()
			return nil, err
		default:
			files = append(files, s)
			l.tried = append(l.tried, path)
		}
	}
	if held == nil && len(files) == 0 {
		return nil, l.nothing()
	}
	// One method: of several with the same name only the first is used.
	l.methods = []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		if len(d.Identities) > 0 || held == nil {
			return l.with(files, held)
		}
		all, err := held()
		return append(all, files...), err
	})}
	return l, nil
}

// with returns the keys that were asked for, and then the agent's: it may hold
// those that are locked.
func (l *login) with(files []ssh.Signer, held func() ([]ssh.Signer, error)) ([]ssh.Signer, error) {
	if held == nil {
		return files, nil
	}
	more, err := held()
	if err != nil && len(files) > 0 {
		return files, nil //nolint:nilerr // the files may do
	}
	return append(files, more...), err
}

// nothing is the error if there is nothing to log in with.
func (l *login) nothing() error {
	if len(l.locked) > 0 {
		return &refusal{
			fmt.Sprintf("the key %s has a passphrase, and no agent is running", l.locked[0]),
			fmt.Sprintf(`start one and give it the key: eval "$(ssh-agent)" && ssh-add %s`, l.locked[0]), fs.ErrPermission,
		}
	}
	return &refusal{"no key to log in with: no agent is running, and there is no key file",
		"make a key with ssh-keygen, or name one: sftp://USER@HOST/DIR?identity=FILE", fs.ErrPermission}
}

func (d *dialer) keyFiles() []string {
	if len(d.Identities) > 0 {
		return d.Identities
	}
	if d.Home == "" {
		return nil
	}
	var list []string
	for _, name := range usual {
		list = append(list, filepath.Join(d.Home, ".ssh", name))
	}
	return list
}

const maxKeyFile = 1 << 20

func readKey(path string) (ssh.Signer, error) {
	if fi, err := os.Stat(path); err == nil && (!fi.Mode().IsRegular() || fi.Size() > maxKeyFile) {
		return nil, fmt.Errorf("key %s: it is no file of a key: %w", path, fs.ErrInvalid)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	s, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if err != nil && !errors.As(err, &locked) {
		return nil, fmt.Errorf("key %s cannot be read: %w", path, fs.ErrInvalid)
	}
	return s, err
}

// explain says why a login failed.
func (d *dialer) explain(err error, l *login) error {
	var r *refusal
	switch {
	case errors.As(err, &r): // of the host key
		return r
	case strings.Contains(err.Error(), "unable to authenticate"): // the library has no value for it
		advice := "give the server's administrator the public half of your key, for authorized_keys"
		if len(l.locked) > 0 {
			advice = fmt.Sprintf("%s has a passphrase and was not tried: ssh-add %[1]s", l.locked[0])
		}
		return &refusal{fmt.Sprintf("the server does not let %s in with %s", d.User, strings.Join(l.tried, ", ")), advice, fs.ErrPermission}
	case strings.Contains(err.Error(), "Too many authentication failures"): // which is what sshd says
		return &refusal{
			fmt.Sprintf("the server does not let %s try as many keys as there are in %s", d.User, strings.Join(l.tried, ", ")),
			"name the right one, which is then tried first: sftp://USER@HOST/DIR?identity=FILE", fs.ErrPermission,
		}
	}
	return err
}
