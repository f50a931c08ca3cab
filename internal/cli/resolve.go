package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/internal/backends"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// open opens the store that the command line, the environment or a file names.
func (env *Env) open(ctx context.Context) (*stateroom.Store, error) {
	url, err := env.storeURL()
	if err != nil {
		return nil, err
	}
	objects, err := env.objects(ctx, url)
	if err != nil {
		return nil, err
	}
	opt := env.options()
	opt.Cache = env.cache(url)
	if strings.Contains(url, "://") {
		opt.Address = url
	}
	s, err := stateroom.Open(ctx, objects, opt)
	if err != nil || env.draft == "" {
		return s, err
	}
	return s.OnDraft(env.draft)
}

// objects opens the objects at an address.
func (env *Env) objects(ctx context.Context, url string) (*vfs.FS, error) {
	f, err := backends.Open(ctx, url, backends.Options{Getenv: env.Getenv})
	env.sayable = err == nil
	return f, err
}

// options are those of every command that opens a store.
func (env *Env) options() stateroom.Options {
	return stateroom.Options{Author: env.author(), Now: env.Now, Notice: env.notice, SingleWriter: env.alone}
}

// storeURL is the address of the store: the first that is given.
func (env *Env) storeURL() (string, error) {
	for _, given := range []string{env.state, env.Getenv("STATEROOM_STATE_STORE"), env.Getenv("KOPS_STATE_STORE")} {
		if given != "" {
			return address(given)
		}
	}
	given, err := env.kopsFile()
	if err != nil {
		return "", err
	}
	if given != "" {
		return address(given)
	}
	return env.dataDir("store")
}

// slip is an address with one slash where two belong.
var slip = regexp.MustCompile(`^[a-z][a-z0-9]+:/?[^/]`)

// address checks what people give as the address of a store, as far as it is
// plainly a slip: it would become a directory of that name here.
func address(given string) (string, error) {
	switch {
	case strings.ContainsFunc(given, unicode.IsControl):
		return "", usagef("an address is a directory, as in --state ./store, or file:///path", "the address of the store %q holds control characters", shown(given))
	case slip.MatchString(given):
		return "", usagef("write ./"+shown(given)+" for a directory of that name", "the address of the store %s: after the colon there must be two slashes", shown(given))
	case given == "file://":
		return "", usagef("write the path after it, as in file:///srv/store", "the address of the store file:// names no directory")
	}
	return trimSlash(given), nil
}

// password is one in an address, or in what is nearly one.
var password = regexp.MustCompile(`(//?[^/@:]*):[^/@]*@`)

// shown is an address as it may stand in a message: a password in it is refused
// where it is opened, and must not be told to a log before.
func shown(address string) string { return password.ReplaceAllString(address, "$1:xxxxx@") }

// trimSlash drops slashes at the end, as kops does; not those of a scheme.
func trimSlash(url string) string {
	trimmed := strings.TrimRight(url, "/")
	if trimmed == "" || strings.HasSuffix(trimmed, ":") {
		return url
	}
	return trimmed
}

// maxKopsFile bounds a file of settings, in bytes.
const maxKopsFile = 1 << 20

// kopsFile reads kops_state_store from the files where kops looks for it.
func (env *Env) kopsFile() (string, error) {
	home := env.Getenv("HOME")
	if home == "" {
		return "", nil
	}
	for _, path := range []string{filepath.Join(home, ".kops.yaml"), filepath.Join(home, ".kops", "config")} {
		b, err := readCapped(path, maxKopsFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		docs, err := doc.Parse(b)
		if err != nil {
			return "", mendText(path, fmt.Errorf("read %s: %w", path, err), "or say the store with --state DIR")
		}
		if len(docs) > 0 {
			v, there := docs[0].Get("kops_state_store")
			given, isText := v.(string)
			if there && v != nil && !isText {
				line, col := docs[0].Position("kops_state_store")
				wrong := cluster.Invalid([]cluster.Problem{{File: path, Line: line, Col: col, Path: "kops_state_store", Message: "expected a text, the address of a store"}})
				return "", advise(wrong, "write kops_state_store: /path into %s, or say the store with --state DIR", path)
			}
			return given, nil
		}
	}
	return "", nil
}

// dataDir is a directory of the user's own data.
func (env *Env) dataDir(elem ...string) (string, error) {
	return env.xdg("XDG_DATA_HOME", ".local/share", elem)
}

// cacheDir is a directory of what can be made again.
func (env *Env) cacheDir(elem ...string) (string, error) {
	return env.xdg("XDG_CACHE_HOME", ".cache", elem)
}

func (env *Env) xdg(variable, below string, elem []string) (string, error) {
	top := env.Getenv(variable)
	if !filepath.IsAbs(top) { // the XDG specification: relative ones are ignored
		home := env.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", usagef("say where with --state DIR, or set HOME", "no store is given, and neither HOME nor %s says where a directory of your own would be", variable)
		}
		top = filepath.Join(home, below)
	}
	return filepath.Join(append([]string{top, "stateroom"}, elem...)...), nil
}

// openCluster opens the store, and says which cluster in it is meant.
func (env *Env) openCluster(ctx context.Context, arg string) (*stateroom.Store, cluster.Name, error) {
	return (&atFlag{}).openCluster(ctx, env, arg)
}

// cluster is the cluster that is meant: by the argument, which may be empty, or
// else by --name, by the environment, or because the store has only one.
func (env *Env) cluster(ctx context.Context, s *stateroom.Store, arg string) (cluster.Name, error) {
	given, err := env.namedCluster(arg)
	if err != nil {
		return "", err
	}
	if given == "" {
		env.meant, err = onlyCluster(ctx, s)
		return env.meant, err
	}
	env.meant, err = cluster.ParseName(given)
	return env.meant, err
}

// onlyCluster is the only cluster of a store.
func onlyCluster(ctx context.Context, s *stateroom.Store) (cluster.Name, error) {
	names, err := s.ClusterNames(ctx)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", &emptyStoreError{s.Place()}
	}
	return onlyOne(names, fmt.Sprintf("the store %s has", s.Place()))
}

// onlyOne is the only one of the clusters that something has.
func onlyOne(names []cluster.Name, has string) (cluster.Name, error) {
	if len(names) == 1 {
		return names[0], nil
	}
	var list []string
	for _, n := range names {
		list = append(list, string(n))
	}
	return "", usagef("say --name CLUSTER; there are "+shortList(list, 8), "which cluster? %s %d", has, len(names))
}

// namedCluster is the name that the command line or the environment gives;
// empty: none.
func (env *Env) namedCluster(arg string) (string, error) {
	if arg != "" && env.name != "" && arg != env.name {
		return "", usagef("say it once: "+arg+", or --name "+env.name, "the argument says cluster %q and --name says %q", arg, env.name)
	}
	for _, given := range []string{arg, env.name, env.Getenv("STATEROOM_CLUSTER_NAME"), env.Getenv("KOPS_CLUSTER_NAME")} {
		if given != "" {
			return given, nil
		}
	}
	return "", nil
}

func shortList(list []string, most int) string {
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// emptyStoreError says that there is no cluster to speak of.
type emptyStoreError struct{ place string }

func (e *emptyStoreError) Error() string        { return fmt.Sprintf("the store %s has no clusters", e.place) }
func (e *emptyStoreError) Is(target error) bool { return target == fs.ErrNotExist }
func (e *emptyStoreError) Hint() string {
	return "stateroom up makes one and runs it here; stateroom create cluster NAME makes its state; another store: --state DIR"
}

// author is who makes the commits: "Ada <ada@example.com>".
func (env *Env) author() string {
	if a := env.Getenv("STATEROOM_AUTHOR"); a != "" {
		return a
	}
	name, mail := env.Getenv("GIT_AUTHOR_NAME"), env.Getenv("GIT_AUTHOR_EMAIL")
	login := env.login()
	if name == "" {
		name = login
	}
	if mail == "" {
		mail = env.Getenv("EMAIL")
	}
	if mail == "" {
		mail = login + "@" + hostname()
	}
	return name + " <" + mail + ">"
}

func (env *Env) login() string {
	for _, variable := range []string{"USER", "LOGNAME"} {
		if v := env.Getenv(variable); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// notice tells the person what the store found and did on the way.
func (env *Env) notice(n store.Notice) {
	if n.Kind == store.Rebased {
		env.rebased = n.Number
	}
	env.sayf("%s", noticeText(n))
}
