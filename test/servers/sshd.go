package servers

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// SFTP is an SSH server that offers sftp to one user with a key.
type SFTP struct {
	Address    string // 127.0.0.1:PORT
	User       string
	KeyFile    string // the user's private key
	KnownHosts string // a file that holds the server's key
	Dir        string // an empty directory for stores, absolute
}

// SSHD starts the system's sshd for the user who runs the test, with a host
// key of its own and its internal sftp server.
func SSHD(t testing.TB) SFTP {
	t.Helper()
	dir := t.TempDir()
	s := SFTP{KeyFile: filepath.Join(dir, "id"), KnownHosts: filepath.Join(dir, "known_hosts"), Dir: filepath.Join(dir, "files")}
	me, preload := whoami(t)
	s.User = me
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	host := sshKey(t, filepath.Join(dir, "host"))
	login := sshKey(t, s.KeyFile)
	write(t, filepath.Join(dir, "authorized_keys"), ssh.MarshalAuthorizedKey(login))

	bin := sshd(t)
	port := start(t, "sshd", func(port int) *exec.Cmd {
		config := filepath.Join(dir, "sshd_config")
		write(t, config, fmt.Appendf(nil, sshdConfig, port, dir))
		cmd := exec.Command(bin, "-D", "-e", "-f", config)
		if preload != "" {
			cmd.Env = append(cmd.Environ(), "LD_PRELOAD="+preload)
		}
		return cmd
	}, greets)
	s.Address = fmt.Sprintf("127.0.0.1:%d", port)
	write(t, s.KnownHosts, fmt.Appendf(nil, "[127.0.0.1]:%d %s", port, ssh.MarshalAuthorizedKey(host)))
	return s
}

// sshdConfig wants the port and the directory with the keys. The directory
// lies where others may write (/tmp), which StrictModes would refuse.
const sshdConfig = `ListenAddress 127.0.0.1
Port %d
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 1000
MaxSessions 1000
Subsystem sftp internal-sftp
`

// sshd finds the program, which refuses to be started by a bare name.
func sshd(t testing.TB) string {
	t.Helper()
	bin, err := exec.LookPath("sshd")
	if err != nil {
		bin = "/usr/sbin/sshd" // not in the PATH of ordinary users
	}
	if !exists(bin) {
		t.Fatal("sshd is not installed: install the package openssh-server")
	}
	if os.Getuid() == 0 { // where it locks up what has no login yet; systemd would make it
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// account is a library that makes an account for a user who has none.
//
//go:embed account/account.c
var account []byte

// whoami returns the name of the user who runs the test. Where the system has
// no account of that number, sshd has to be started with the library preload,
// which makes up the one named.
func whoami(t testing.TB) (name, preload string) {
	t.Helper()
	me, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err == nil {
		return me.Username, ""
	}
	dir := cached(t, "account", account, func(into string) *exec.Cmd {
		source := filepath.Join(into, "account.c")
		write(t, source, account)
		return exec.Command("cc", "-shared", "-fPIC", "-o", filepath.Join(into, "account.so"), source, "-ldl")
	})
	return "stateroom", filepath.Join(dir, "account.so")
}

// sshKey writes a new private key to path and returns its public half.
func sshKey(t testing.TB, path string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, pem.EncodeToMemory(block))
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// greets reports whether an SSH server answers at the port.
func greets(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	hello := make([]byte, 4)
	_, err = c.Read(hello)
	return err == nil && bytes.Equal(hello, []byte("SSH-"))
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
