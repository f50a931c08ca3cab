package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys are the keys of servers that the person knows.
type hostKeys struct {
	known ssh.HostKeyCallback
	file  string // where a new key is to be written
}

func (d *dialer) hostKeys() (*hostKeys, error) {
	files := d.KnownHosts
	if len(files) == 0 {
		if d.Home != "" {
			files = append(files, filepath.Join(d.Home, ".ssh", "known_hosts"))
		}
		files = append(files, "/etc/ssh/ssh_known_hosts")
	}
	k := &hostKeys{file: files[0]}
	there := slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		_, err := os.Stat(file)
		return errors.Is(err, fs.ErrNotExist)
	})
	known, err := knownhosts.New(there...)
	if err != nil {
		return nil, fmt.Errorf("read the known hosts: %w", err)
	}
	k.known = known
	return k, nil
}

// check refuses a server that is not known, or is not the one that was.
func (k *hostKeys) check(address string, remote net.Addr, key ssh.PublicKey) error {
	err := k.known(address, remote, key)
	if err == nil {
		return nil
	}
	if revoked := new(knownhosts.RevokedError); errors.As(err, &revoked) {
		return &refusal{
			fmt.Sprintf("the host key of %s is revoked (%s:%d)", address, revoked.Revoked.Filename, revoked.Revoked.Line),
			"do not use this server", fs.ErrPermission,
		}
	}
	ke := new(knownhosts.KeyError)
	if !errors.As(err, &ke) {
		return err
	}
	line := knownhosts.Line([]string{address}, key)
	print := ssh.FingerprintSHA256(key)
	if len(ke.Want) == 0 {
		return &refusal{
			fmt.Sprintf("the server %s is not known: its host key is %s %s", address, key.Type(), print),
			fmt.Sprintf("compare this with what its administrator says, and if it is the same add this line to %s: %s", k.file, line), fs.ErrPermission,
		}
	}
	was := ke.Want[0]
	return &refusal{
		fmt.Sprintf("THE HOST KEY OF %s HAS CHANGED: it is %s %s, and %s:%d has %s %s. "+
			"Somebody may be between you and the server; nothing was sent to it", address, key.Type(), print, was.Filename, was.Line, was.Key.Type(), ssh.FingerprintSHA256(was.Key)),
		fmt.Sprintf("ask its administrator; only if the key was changed on purpose, replace line %d of %s by: %s", was.Line, was.Filename, line), fs.ErrPermission,
	}
}

// algorithms returns those of the keys that are known of a server, in their
// order: another kind of key would be refused though the server is the same.
// nil: it is not known, or by a certificate.
func (k *hostKeys) algorithms(address string) []string {
	ke := new(knownhosts.KeyError)
	if err := k.known(address, &net.TCPAddr{}, nowhere{}); !errors.As(err, &ke) {
		return nil
	}
	var list []string
	for _, known := range ke.Want {
		if authority(known) {
			return nil
		}
		kinds := []string{known.Key.Type()}
		if kinds[0] == ssh.KeyAlgoRSA {
			kinds = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, kind := range kinds {
			if !slices.Contains(list, kind) {
				list = append(list, kind)
			}
		}
	}
	return list
}

// authority reports whether the line of a known key says that it signs those
// of servers.
func authority(known knownhosts.KnownKey) bool {
	b, err := os.ReadFile(known.Filename)
	lines := strings.Split(string(b), "\n")
	return err == nil && known.Line <= len(lines) && strings.HasPrefix(strings.TrimSpace(lines[known.Line-1]), "@cert-authority")
}

// nowhere is a key that no server has.
type nowhere struct{}

func (nowhere) Type() string                        { return "none" }
func (nowhere) Marshal() []byte                     { return []byte("none") }
func (nowhere) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
