package backends

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/sftp"
)

// openSFTP opens sftp://USER@HOST:PORT/DIR; DIR is absolute, and below the
// directory of the login as /~/DIR. Without USER it is that of the
// environment, without PORT 22. Parameters are identity (the file of a private
// key) and known_hosts (a file of host keys).
func openSFTP(ctx context.Context, text string, opt Options) (*vfs.FS, error) {
	o, err := sftpOptions(text, opt)
	if err != nil {
		return nil, err
	}
	d, err := sftp.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", sftpName(o), err)
	}
	return vfs.New(d, sftpName(o)), nil
}

func sftpOptions(text string, opt Options) (sftp.Options, error) {
	var o sftp.Options
	const form = "write sftp://USER@HOST/DIR, or sftp://USER@HOST/~/DIR for one below the directory of the login"
	u, err := url.Parse(text)
	if err != nil {
		return o, addressError(text, "it is not a URL", form)
	}
	if _, ok := u.User.Password(); ok {
		return o, addressError(text, "it has a password in it, where others can read it", "log in with a key: of ssh-agent, of ~/.ssh, or ?identity=FILE")
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		return o, addressError(text, "it has a # in it", "write %23 for a # in the name of a folder")
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	o = sftp.Options{
		Address: net.JoinHostPort(u.Hostname(), port), User: u.User.Username(),
		Home: opt.home(), Getenv: opt.getenv,
	}
	if o.User == "" {
		o.User = cmp.Or(opt.getenv("USER"), opt.getenv("LOGNAME"), opt.getenv("USERNAME"))
	}
	if u.Hostname() == "" || o.User == "" {
		return o, addressError(text, "it names no host, or no user", form)
	}
	if o.Dir, err = sftpDir(text, u.Path); err != nil {
		return o, err
	}
	err = sftpParameters(text, u.RawQuery, &o)
	return o, err
}

// sftpDir returns the directory of a path, and refuses what is none.
func sftpDir(text, path string) (string, error) {
	dir := "/" + strings.Trim(path, "/")
	if path == "" {
		return "", addressError(text, "it names no directory", "write sftp://USER@HOST/DIR, or sftp://USER@HOST/~/DIR for one below the directory of the login")
	}
	if dir != "/" && (!vfs.ValidKey(dir[1:]) || strings.ContainsFunc(dir, func(r rune) bool { return r < ' ' })) {
		return "", addressError(text, fmt.Sprintf("%q cannot be a directory", dir), "leave out //, /./ and /../")
	}
	if dir == "/~" {
		return ".", nil
	}
	if below, ok := strings.CutPrefix(dir, "/~/"); ok {
		return below, nil
	}
	return dir, nil
}

func sftpParameters(text, query string, o *sftp.Options) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return addressError(text, "its parameters cannot be read", "write them as ?NAME=VALUE&NAME=VALUE")
	}
	for name, values := range q {
		if !slices.Contains([]string{"identity", "known_hosts"}, name) || slices.Contains(values, "") {
			return addressError(text, fmt.Sprintf("parameter %q is unknown here, or empty", name), "the parameters are identity and known_hosts, the names of files")
		}
		for i, value := range values {
			if below, ok := strings.CutPrefix(value, "~/"); ok && o.Home != "" {
				values[i] = filepath.Join(o.Home, below)
			}
		}
	}
	o.Identities, o.KnownHosts = q["identity"], q["known_hosts"]
	return nil
}

// sftpName is how a store is shown to people: the user is no secret.
func sftpName(o sftp.Options) string {
	dir := o.Dir
	switch {
	case dir == ".":
		dir = "/~"
	case !strings.HasPrefix(dir, "/"):
		dir = "/~/" + dir
	}
	return "sftp://" + o.User + "@" + strings.TrimSuffix(o.Address, ":22") + dir
}

// home is the directory of the person, as the environment says it.
func (opt Options) home() string {
	return cmp.Or(opt.getenv("HOME"), opt.getenv("USERPROFILE"))
}
