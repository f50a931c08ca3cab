package stateroom_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stateroom/stateroom"

// layers says which of our packages each package may import, tests aside. A
// package without a line here fails the test, so that placing a new one is a
// decision. "" is the root package; a trailing /* allows what lies below.
var layers = map[string]string{
	"vfs":                          "",
	"vfs/mem":                      "vfs",
	"vfs/file":                     "vfs internal/durable",
	"vfs/s3":                       "vfs internal/retry internal/wire",
	"vfs/gcs":                      "vfs internal/retry internal/wire",
	"vfs/azblob":                   "vfs internal/retry internal/wire",
	"internal/wire":                "vfs internal/retry",
	"vfs/sftp":                     "vfs",
	"vfs/http":                     "vfs internal/retry",
	"vfs/probe":                    "vfs",
	"vfs/vfstest":                  "vfs",
	"store":                        "vfs",
	"store/storetest":              "store vfs vfs/vfstest",
	"doc":                          "",
	"cluster":                      "doc",
	"cluster/v1alpha2":             "",
	"pki":                          "",
	"bundle":                       "",
	"plan":                         "cluster doc pki bundle",
	"agent":                        "bundle pki vfs internal/durable internal/asset",
	"internal/durable":             "",
	"internal/durable/durabletest": "internal/durable",
	"internal/asset":               "bundle internal/durable",
	"internal/retry":               "",
	"internal/backends":            "vfs vfs/*",
	"":                             "store cluster doc pki plan bundle vfs vfs/probe internal/asset internal/durable",
	"internal/cache":               "",
	"internal/cli":                 ". internal/backends internal/cache bundle cluster plan store doc pki vfs vfs/probe",
	"cmd/stateroom":                "internal/cli",
	"cmd/stateroom-agent":          "agent bundle vfs internal/asset internal/backends",
	"internal/doctest":             "",
	"test/e2e":                     "",
	"bench":                        "",
	"test/servers":                 "",
	"test/stores":                  "",
}

// only says where alone a foreign import may stand.
var only = map[string]string{
	"github.com/Azure/":    "vfs/azblob test/servers",
	"github.com/aws/":      "vfs/s3 test/servers",
	"github.com/spf13/":    "internal/cli",
	"go.yaml.in/yaml/":     "doc pki",
	"golang.org/x/oauth2":  "vfs/gcs",
	"github.com/pkg/sftp":  "vfs/sftp",
	"golang.org/x/crypto/": "vfs/sftp test/servers",
	"golang.org/x/sys/":    "vfs/file internal/durable internal/asset agent",
	"golang.org/x/term":    "internal/cli",
	"k8s.io/":              "",
	"log":                  "",
}

// impure lists what a package that only decides must not reach for.
var impure = []string{"os", "net", "net/http", "os/exec", "os/signal", "syscall"}

// pure are the packages that decide and do no I/O.
var pure = []string{"doc", "cluster", "cluster/v1alpha2", "pki", "bundle", "plan"}

type listed struct {
	ImportPath string
	Imports    []string
}

// TestLayers holds every package of the module against the tables above.
func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if _, placed := layers[name]; !placed {
			t.Errorf("package %q has no line in layers: say what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if why := refused(name, imported); why != "" {
				t.Error(why)
			}
		}
	}
}

// refused says why a package must not import another, or nothing.
func refused(name, imported string) string {
	if own, ok := strings.CutPrefix(imported, module); ok {
		if own = strings.TrimPrefix(own, "/"); !allows(strings.Fields(layers[name]), own) {
			return fmt.Sprintf("%q must not import %s", name, imported)
		}
		return ""
	}
	if slices.Contains(pure, name) && slices.Contains(impure, imported) {
		return fmt.Sprintf("%q must stay pure, but imports %s", name, imported)
	}
	for prefix, places := range only {
		hit := imported == prefix || strings.ContainsAny(prefix, "/.") && strings.HasPrefix(imported, prefix)
		if hit && !slices.Contains(strings.Fields(places), name) {
			return fmt.Sprintf("%q must not import %s: it may stand only in [%s]", name, imported, places)
		}
	}
	return ""
}

func allows(allowed []string, own string) bool {
	for _, a := range allowed {
		if a == own || a == "." && own == "" {
			return true
		}
		if dir, ok := strings.CutSuffix(a, "/*"); ok && path.Dir(own) == dir {
			return true
		}
	}
	return false
}

// packages asks the go command for our packages and what they import outside
// of tests.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestLayersBite breaks the rules on purpose and sees them refused.
func TestLayersBite(t *testing.T) {
	for _, c := range []struct{ name, imported string }{
		{"bundle", module + "/store"},
		{"bundle", "os"},
		{"agent", module + "/plan"},
		{"store", "github.com/spf13/cobra"},
		{"vfs", "log"},
	} {
		if refused(c.name, c.imported) == "" {
			t.Errorf("%s may import %s", c.name, c.imported)
		}
	}
}
