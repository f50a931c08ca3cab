package backends

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
)

func TestSFTPAddresses(t *testing.T) {
	home := env("HOME=/home/ada", "USER=ada")
	type place struct {
		Address, User, Dir     string
		Identities, KnownHosts []string
		Name                   string
	}
	for text, want := range map[string]place{
		"sftp://bob@files.example.com/srv/state":  {Address: "files.example.com:22", User: "bob", Dir: "/srv/state", Name: "sftp://bob@files.example.com/srv/state"},
		"sftp://files.example.com:2222/srv/":      {Address: "files.example.com:2222", User: "ada", Dir: "/srv", Name: "sftp://ada@files.example.com:2222/srv"},
		"sftp://bob@files.example.com/~/state":    {Address: "files.example.com:22", User: "bob", Dir: "state", Name: "sftp://bob@files.example.com/~/state"},
		"sftp://bob@files.example.com/~":          {Address: "files.example.com:22", User: "bob", Dir: ".", Name: "sftp://bob@files.example.com/~"},
		"sftp://bob@[::1]:2222/a%20b":             {Address: "[::1]:2222", User: "bob", Dir: "/a b", Name: "sftp://bob@[::1]:2222/a b"},
		"sftp://h/s?identity=~/k&identity=/x/key": {Address: "h:22", User: "ada", Dir: "/s", Identities: []string{"/home/ada/k", "/x/key"}, Name: "sftp://ada@h/s"},
		"sftp://h/s?known_hosts=/etc/hosts.known": {Address: "h:22", User: "ada", Dir: "/s", KnownHosts: []string{"/etc/hosts.known"}, Name: "sftp://ada@h/s"},
	} {
		o, err := sftpOptions(text, home)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, place{o.Address, o.User, o.Dir, o.Identities, o.KnownHosts, sftpName(o)}); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestSFTPAddressesAreRefusedInWords(t *testing.T) {
	for text, part := range map[string]string{
		"sftp://ada:hunter2@host/srv":             "it has a password in it",
		"sftp://ada@host":                         "it names no directory",
		"sftp:///srv":                             "it names no host, or no user",
		"sftp://host/srv":                         "it names no host, or no user",
		"sftp://ada@host/srv/../etc":              "cannot be a directory",
		"sftp://ada@host/srv?password=hunter2":    `parameter "password" is unknown`,
		"sftp://ada@host/srv?identity=":           `parameter "identity" is unknown here, or empty`,
		"sftp://ada@host/srv#x":                   "it has a # in it",
		"sftp://ada:hunter2@host:notaport/srv":    "it is not a URL",
		"sftp://ada@host/srv?identity=%zzhunter2": "its parameters cannot be read",
	} {
		_, err := Open(t.Context(), text, Options{})
		var hint interface{ Hint() string }
		if err == nil || !strings.Contains(err.Error(), part) || !errors.Is(err, fs.ErrInvalid) || !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("Open(%s) = %v, want %q and a hint", text, err, part)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the refusal shows the password: %v", err)
		}
	}
}

func TestOpenSFTP(t *testing.T) {
	s := servers.SSHD(t)
	url := "sftp://" + s.User + "@" + s.Address + s.Dir + "/state"
	f, err := Open(t.Context(), url+"?identity="+s.KeyFile+"&known_hosts="+s.KnownHosts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Name() != url {
		t.Errorf("the store is called %s, want %s", f.Name(), url)
	}
	if _, err := f.Put(t.Context(), "a/b", []byte("x"), vfs.IfAbsent(), ""); err != nil {
		t.Error(err)
	}
}
