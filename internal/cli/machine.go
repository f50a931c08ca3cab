package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

// machine says where things lie on this machine.
func (env *Env) machine() (stateroom.Machine, error) {
	var m stateroom.Machine
	var err error
	if m.Hosts, err = env.dataDir("hosts"); err != nil {
		return m, err
	}
	if m.Cache, err = env.cacheDir("assets"); err != nil {
		return m, err
	}
	m.Agent = beside("stateroom-agent")
	m.Node = nodeName(hostname())
	return m, nil
}

// beside finds a program that was built together with this one; empty where
// there is none.
func beside(program string) string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	path := filepath.Join(filepath.Dir(self), program)
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	return path
}

// defaultSource is where the module that builds Kubernetes is looked for: here,
// then in the checkout that this program was built in.
func defaultSource() string {
	const here = "kubernetes"
	places := []string{here}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		places = append(places, filepath.Join(filepath.Dir(self), here), filepath.Join(filepath.Dir(self), "..", here))
	}
	for _, place := range places {
		if _, err := os.Stat(filepath.Join(place, "go.mod")); err == nil {
			return place
		}
	}
	return here
}

// nodeName makes a node's name of a host name: lower case, without what names
// cannot have.
func nodeName(host string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, host)
	if name = strings.Trim(name, "-."); name == "" {
		return "localhost"
	}
	return name
}

// host is this machine, and the cluster that is meant among those that it is a
// host of. It needs no store: what runs can be stopped without one.
func (env *Env) host(arg string) (stateroom.Machine, cluster.Name, error) {
	m, err := env.machine()
	if err != nil {
		return m, "", err
	}
	given, err := env.namedCluster(arg)
	if err != nil {
		return m, "", err
	}
	if given != "" {
		env.meant, err = cluster.ParseName(given)
		return m, env.meant, err
	}
	names, err := m.Clusters()
	if err != nil {
		return m, "", err
	}
	if len(names) == 0 {
		return m, "", &nothingHereError{}
	}
	env.meant, err = onlyOne(names, "this machine is a host of")
	return m, env.meant, err
}

// nothingHereError says that this machine is a host of no cluster.
type nothingHereError struct{}

func (*nothingHereError) Error() string        { return "this machine is a host of no cluster" }
func (*nothingHereError) Is(target error) bool { return target == fs.ErrNotExist }
func (*nothingHereError) Hint() string         { return "stateroom up makes it one" }
