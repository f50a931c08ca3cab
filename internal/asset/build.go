package asset

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// KubernetesPrograms are the names that the multi-call program of kubernetes/
// answers to.
func KubernetesPrograms() []string { return slices.Clone(programs) }

var programs = []string{
	"etcd", "etcdutl", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet",
}

// sourceFiles are what the program is built from; all else comes from the
// module proxy, pinned by go.sum.
var sourceFiles = []string{"go.mod", "go.sum", "main.go"}

// BuildError says that Kubernetes could not be built from its source.
type BuildError struct {
	Source string // the folder
	Step   string // what was being done
	Err    error
	Output string // the last lines of the Go command
	hint   string
}

func (e *BuildError) Error() string {
	s := fmt.Sprintf("build Kubernetes from %s: %s: %v", e.Source, e.Step, e.Err)
	if e.Output != "" {
		s += "\n" + e.Output
	}
	return s
}

func (e *BuildError) Unwrap() error { return e.Err }

// Hint says what a person can do about it.
func (e *BuildError) Hint() string { return e.hint }

var requirement = regexp.MustCompile(`(?m)^\s*(?:require\s+)?k8s\.io/kubernetes (v[0-9][^\s]*)$`)

// KubernetesVersion returns the version, without the "v", of Kubernetes that
// the module in the folder source builds.
func KubernetesVersion(source string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", &BuildError{Source: source, Step: "read go.mod", Err: fs.ErrNotExist,
			hint: "run from a checkout of Stateroom, or name its kubernetes folder with --kubernetes-source"}
	}
	if err != nil {
		return "", &BuildError{Source: source, Step: "read go.mod", Err: err}
	}
	m := requirement.FindSubmatch(mod)
	if m == nil {
		return "", &BuildError{Source: source, Step: "read go.mod", Err: errors.New("it does not require k8s.io/kubernetes")}
	}
	return strings.TrimPrefix(string(m[1]), "v"), nil
}

// BuildKubernetes returns the asset of the multi-call Kubernetes program that
// the Go module in the folder source builds, from the cache where it was built
// before from the same source by the same Go. Otherwise it runs the Go command
// (minutes on a cold build cache) and adds the program to the cache; p hears
// of each step.
func (c *Cache) BuildKubernetes(ctx context.Context, source string, p Progress) (bundle.Asset, error) {
	version, err := KubernetesVersion(source)
	if err != nil {
		return bundle.Asset{}, err
	}
	b := &build{cache: c, source: source, version: version, progress: p}
	if p == nil {
		b.progress = func(string, int64, int64) {}
	}
	if err := b.identify(ctx); err != nil {
		return bundle.Asset{}, err
	}
	if a, ok := b.remembered(); ok {
		return a, nil
	}
	return b.run(ctx)
}

// Built returns what BuildKubernetes would return without building; false
// where it would have to build, or could not.
func (c *Cache) Built(ctx context.Context, source string) (bundle.Asset, bool) {
	version, err := KubernetesVersion(source)
	if err != nil {
		return bundle.Asset{}, false
	}
	b := &build{cache: c, source: source, version: version}
	if err := b.identify(ctx); err != nil {
		return bundle.Asset{}, false
	}
	return b.remembered()
}

// build is one build of the program.
type build struct {
	cache    *Cache
	source   string
	version  string
	key      string // digest of all that decides the result
	temp     string // for what the Go command makes on the way
	progress Progress
	output   tail
}

// identify computes the key: source, Go's version, platform and flags.
func (b *build) identify(ctx context.Context) error {
	h := sha256.New()
	for _, name := range sourceFiles {
		content, err := os.ReadFile(filepath.Join(b.source, name))
		if err != nil {
			return &BuildError{Source: b.source, Step: "read " + name, Err: err}
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(content), content)
	}
	version, err := b.goCommand(ctx, "env", "GOVERSION").Output()
	if err != nil {
		return b.failed("ask for Go's version", err)
	}
	fmt.Fprintf(h, "%s %s/%s CGO_ENABLED=0 %q", bytes.TrimSpace(version), runtime.GOOS, runtime.GOARCH, b.flags(""))
	b.key = hex.EncodeToString(h.Sum(nil))
	return nil
}

// index is where the result of a build is remembered, beside the programs.
func (b *build) index() string { return filepath.Join(b.cache.Dir, "built", b.key+".json") }

func (b *build) remembered() (bundle.Asset, bool) {
	content, err := os.ReadFile(b.index())
	if err != nil {
		return bundle.Asset{}, false
	}
	var a bundle.Asset
	if json.Unmarshal(content, &a) != nil {
		return bundle.Asset{}, false
	}
	_, ok := b.cache.Path(a.SHA256)
	return a, ok
}

func (b *build) flags(out string) []string {
	const version = "k8s.io/component-base/version"
	minor, _, _ := strings.Cut(strings.TrimPrefix(b.version, "1."), ".")
	return []string{
		"build", "-v", "-trimpath", "-buildvcs=false", "-o", out, "-ldflags",
		"-s -w -X " + version + ".gitVersion=v" + b.version + " -X " + version + ".gitMajor=1 -X " + version + ".gitMinor=" + minor,
	}
}

// run builds below the cache's own folder, so that the finished program only
// has to be renamed.
func (b *build) run(ctx context.Context) (bundle.Asset, error) {
	if err := os.MkdirAll(filepath.Dir(b.index()), 0o700); err != nil {
		return bundle.Asset{}, fmt.Errorf("build Kubernetes: %w", err)
	}
	b.cache.sweep()
	dir, err := os.MkdirTemp(b.cache.Dir, "build-")
	if err != nil {
		return bundle.Asset{}, fmt.Errorf("build Kubernetes: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left is only space
	b.temp = dir
	out := filepath.Join(dir, "kubernetes")
	if err := b.download(ctx); err != nil {
		return bundle.Asset{}, err
	}
	if err := b.compile(ctx, out); err != nil {
		return bundle.Asset{}, err
	}
	digest, size, err := b.cache.Add(ctx, out)
	if err != nil {
		return bundle.Asset{}, fmt.Errorf("build Kubernetes: %w", err)
	}
	a := bundle.Asset{Name: "kubernetes", Programs: KubernetesPrograms(), URL: "source:kubernetes@v" + b.version, SHA256: digest, Size: size}
	return a, b.remember(a)
}

// remember writes the index entry. It is only a shortcut, so it need not be
// durable, but it must be whole: two builds may end at the same time.
func (b *build) remember(a bundle.Asset) error {
	content, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("build Kubernetes: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(b.index()), "new-")
	if err != nil {
		return fmt.Errorf("build Kubernetes: %w", err)
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), b.index())
	}
	if err != nil {
		return fmt.Errorf("build Kubernetes: %w", errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// download fetches the modules first, so that "downloading" and "compiling"
// are two things to a person who waits.
func (b *build) download(ctx context.Context) error {
	step := "downloading the source of Kubernetes " + b.version
	b.progress(step, 0, 0)
	var done int64
	cmd := b.goCommand(ctx, "list", "-deps", "-f", "{{.ImportPath}}", ".")
	return b.watch(cmd, step, func(line string) {
		if strings.HasPrefix(line, "go: downloading ") {
			done++
			b.progress(step, done, 0)
		}
	})
}

// compile runs go build; with -v the Go command names each package that it
// compiles, which is the only progress it gives.
func (b *build) compile(ctx context.Context, out string) error {
	step := "compiling Kubernetes " + b.version
	total := b.packages(ctx)
	b.progress(step, 0, total)
	var done int64
	return b.watch(b.goCommand(ctx, b.flags(out)...), step, func(line string) {
		if !strings.HasPrefix(line, "go: ") && !strings.ContainsAny(line, " \t") {
			done++
		}
		b.progress(step, done, total)
	})
}

// packages counts what there is to compile; 0 where that cannot be told.
func (b *build) packages(ctx context.Context) int64 {
	out, err := b.goCommand(ctx, "list", "-deps", "-f", "{{.ImportPath}}", ".").Output()
	if err != nil {
		return 0
	}
	return int64(bytes.Count(out, []byte("\n")))
}

// watch runs a Go command and gives each line of its standard error to line;
// every few seconds without one it repeats the last, so that a long link does
// not look like a hang.
func (b *build) watch(cmd *exec.Cmd, step string, line func(string)) error {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return b.failed(step, err)
	}
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		return b.failed(step, err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			lines <- s.Text()
		}
		_, _ = io.Copy(io.Discard, stderr) // after a line that is none: the command must not wait for a reader
	}()
	idle := time.NewTicker(5 * time.Second)
	defer idle.Stop()
	for open := true; open; {
		select {
		case l, ok := <-lines:
			if open = ok; ok {
				b.output.add(l)
				line(l)
			}
		case <-idle.C:
			line("go: still at it")
		}
	}
	if err := cmd.Wait(); err != nil {
		return b.failed(step, err)
	}
	return nil
}

func (b *build) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.source
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0") // one static file, whether there is a C compiler or not
	if b.temp != "" {
		cmd.Env = append(cmd.Env, "TMPDIR="+b.temp) // gigabytes: too much for many a /tmp
	}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func (b *build) failed(step string, err error) error {
	e := &BuildError{Source: b.source, Step: step, Err: err, Output: b.output.String()}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		e.hint = "building needs Go on the PATH (https://go.dev/doc/install); with --catalogue the programs come from elsewhere"
	case strings.Contains(e.Output, "no space left on device"):
		e.hint = "a cold build needs about 5 GB for the build cache (go env GOCACHE) and the modules (go env GOMODCACHE)"
	case strings.Contains(e.Output, "signal: killed"):
		e.hint = "the linker needs about 3.5 GB of memory"
	}
	return e
}

// tail keeps the last lines of a command's output.
type tail struct{ lines []string }

func (t *tail) add(line string) {
	const most, widest = 8, 400
	t.lines = append(t.lines, line[:min(len(line), widest)])
	t.lines = t.lines[max(0, len(t.lines)-most):]
}

func (t *tail) String() string { return strings.Join(t.lines, "\n") }
