package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/internal/asset"
)

// goodCatalogue is a catalogue file with the program that was built.
func goodCatalogue(t *testing.T, p *person) string {
	t.Helper()
	return writeCatalogue(t, p, "good.json", built(t))
}

// crashingScheduler is a catalogue whose kube-scheduler is the real one, under
// a parent that ends both after it has been ready for 20 seconds.
func crashingScheduler(t *testing.T, p *person) string {
	t.Helper()
	real := built(t)
	path, ok := (&asset.Cache{Dir: filepath.Join(p.home, ".cache", "stateroom", "assets")}).Path(real.SHA256)
	if !ok {
		t.Fatal("Kubernetes is not in the cache")
	}
	script := fmt.Sprintf("#!/bin/sh\n%s kube-scheduler \"$@\" &\nscheduler=$!\ntrap 'kill $scheduler; exit 0' TERM\nsleep 25 &\nwait $!\nkill -9 $scheduler\necho 'fatal: out of patience' >&2\nexit 1\n", path)
	program := filepath.Join(p.home, "crashing-scheduler")
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(script))
	real.Programs = slices.DeleteFunc(slices.Clone(real.Programs), func(name string) bool { return name == "kube-scheduler" })
	return writeCatalogue(t, p, "crashing.json", real, bundle.Asset{
		Name: "crashing-scheduler", Programs: []string{"kube-scheduler"},
		URL: "file://" + program, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(script)),
	})
}

func built(t *testing.T) bundle.Asset {
	t.Helper()
	a, err := (&asset.Cache{Dir: builtKubernetes(t)}).BuildKubernetes(t.Context(), "../../kubernetes", nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func writeCatalogue(t *testing.T, p *person, name string, assets ...bundle.Asset) string {
	t.Helper()
	version, err := asset.KubernetesVersion("../../kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	c := bundle.Catalogue{Versions: []bundle.CatalogueVersion{{Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH, Assets: assets}}}
	path := filepath.Join(p.home, name)
	if err := os.WriteFile(path, c.Encode(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
