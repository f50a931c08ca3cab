package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// hooked calls a function after each put that succeeded: for what happens
// between two requests of a client.
type hooked struct {
	vfs.Driver
	after func(key string)
}

func (h hooked) Traits() vfs.Traits { return vfs.TraitsOf(h.Driver) }

func (h hooked) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	e, err := h.Driver.Put(ctx, key, data, c, tag)
	if err == nil {
		h.after(key)
	}
	return e, err
}

// logOf is what `cat log/*` prints.
func logOf(t *testing.T, d vfs.Driver) []byte {
	t.Helper()
	var all []byte
	for e, err := range d.List(t.Context(), ".stateroom/"+demo+"/log/", "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, get(t, d, e.Key)...)
	}
	return all
}

// git runs the real one.
func git(t *testing.T, dir string, stdin []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "core.quotePath=true"}, args...)...)
	cmd.Env = []string{"PATH=" + pathForGit(t), "HOME=" + dir, "TZ=UTC", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// fullOfOddities makes a history with all that git could stumble over.
func fullOfOddities(t *testing.T, d *mem.Driver) *store.History {
	odd := func(o *store.Options) { o.Author = "A\nd\x00a <<ada@example.com>>" }
	h := client(t, d, odd)
	commit(t, h, "create cluster\n\ndata 5\n# file x\nD \"config\"\n\x00\xff", files{
		"config": "a: 1\n", "clusteraddons/default": "", "secrets/system:dns": "s", "odd \"name\"\\ \u00e9\u4e16\n\t\x01": "x",
		"- -f": "dash", " space ": " ", "binary": "\x00\x01\xff\ndata 3\nfrom refs/heads/main\n", "no-newline": "x", "folder": "a file",
	})
	commit(t, h, "", files{"folder": "-", "folder/file": "now a folder", "binary": "\n\n\n"})
	commit(t, h, "a folder becomes a file", files{"folder/file": "-", "folder": "again"})
	put(t, d, demo+"/config", "a: sed\n")
	put(t, d, demo+"/.gitignore", "never imported")
	put(t, d, demo+"/made\u00e9", "foreign")
	remove(t, d, demo+"/no-newline")
	conflicting := hooked{d, func(key string) {
		if strings.HasPrefix(key, ".stateroom/"+demo+"/log/") && strings.HasSuffix(key, "5") {
			put(t, d, demo+"/config", "a: in the way\n")
			remove(t, d, demo+"/binary")
		}
	}}
	commit(t, client(t, conflicting), "in the way", files{"config": "a: ours\n", "binary": "ours"})
	if _, err := h.Update(t.Context(), "update cluster", func(tx *store.Tx) error { tx.Release([]byte("{}\n")); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Delete(t.Context(), "delete cluster"); err != nil {
		t.Fatal(err)
	}
	commit(t, h, "create cluster again", files{"config": "b: 1\n", "folder/x": "1"})
	return h
}

// TestTheLogIsAGitHistory gives the log to the real git and compares all that
// both of them say.
func TestTheLogIsAGitHistory(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		h := fullOfOddities(t, d)
		expect(t, kinds(t, h), "change change change import change conflict release deleted change")
		dir := t.TempDir()
		git(t, dir, nil, "init", "-q", "-b", "main")
		git(t, dir, logOf(t, d), "fast-import", "--quiet")
		if out := git(t, dir, nil, "fsck", "--strict"); out != "" {
			t.Errorf("git fsck: %s", out)
		}
		var theirs []string
		for _, line := range strings.Split(git(t, dir, nil, "log", "--reverse", "-z", "--format=%H %ct %cn <%ce>%n%B", "main"), "\x00") {
			if line != "" {
				theirs = append(theirs, line)
			}
		}
		i := 0
		for _, c := range oldestFirst(t, h) {
			want := []string{fmt.Sprintf("%d %s\n%s", c.Time.Unix(), c.Author, c.Message)}
			if c.Foreign != nil {
				want = slices.Insert(want, 0, fmt.Sprintf("%d foreign <>\n%s", c.Foreign.Time.Unix(), c.Foreign.Message))
			}
			for _, w := range want {
				hash, line, _ := strings.Cut(theirs[i], " ")
				expect(t, strings.TrimRight(line, "\n"), strings.TrimRight(w, "\n"))
				theirs[i] = hash
				i++
			}
			sameTree(t, h, c, dir, theirs[i-1])
		}
		if i != len(theirs) {
			t.Errorf("git has %d commits, the log %d", len(theirs), i)
		}
		if stat := git(t, dir, nil, "log", "--stat", "main"); !strings.Contains(stat, "folder/file") {
			t.Errorf("git log --stat:\n%s", stat)
		}
	})
}

// sameTree compares the files of a commit with those of a commit of git.
func sameTree(t *testing.T, h *store.History, c *store.Commit, dir, hash string) {
	t.Helper()
	sn, err := h.At(t.Context(), fmt.Sprint(c.Number))
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for _, line := range strings.Split(git(t, dir, nil, "ls-tree", "-r", "-z", hash), "\x00") {
		if line == "" {
			continue
		}
		head, name, _ := strings.Cut(line, "\t")
		mode, blob := strings.Fields(head)[0], strings.Fields(head)[2]
		b, err := sn.ReadFile(t.Context(), name)
		if err != nil || mode != "100644" || git(t, dir, nil, "cat-file", "blob", blob) != string(b) {
			t.Errorf("commit %d: %q is another file for git (%s), %v", c.Number, name, mode, err)
		}
		names++
	}
	if names != len(c.Files) {
		t.Errorf("commit %d: git has %d files, not %d", c.Number, names, len(c.Files))
	}
}

func oldestFirst(t *testing.T, h *store.History) []*store.Commit {
	t.Helper()
	var list []*store.Commit
	for c, err := range h.Log(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	slices.Reverse(list)
	return list
}

func kinds(t *testing.T, h *store.History) string {
	t.Helper()
	var list []string
	for _, c := range oldestFirst(t, h) {
		list = append(list, string(c.Kind))
	}
	return strings.Join(list, " ")
}

func pathForGit(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatalf("this test needs git: %v", err)
	}
	return path[:strings.LastIndexAny(path, `/\`)]
}

func TestForeignBytesInTheWayAreKeptAndCanBeRead(t *testing.T) {
	memories(t, func(t *testing.T, d *mem.Driver) {
		commit(t, client(t, d), "create", files{"config": "a: 1\n"})
		var notices []string
		conflicting := hooked{d, func(key string) {
			if key == ".stateroom/"+demo+"/log/000000000002" {
				put(t, d, demo+"/config", "a: in the way\n")
			}
		}}
		h := client(t, conflicting, func(o *store.Options) {
			o.Notice = func(n store.Notice) { notices = append(notices, fmt.Sprint(n.Kind, n.Number, n.Names)) }
		})
		commit(t, h, "ours", files{"config": "a: ours\n"})
		expect(t, strings.Join(notices, ";"), "kept3 [config]")
		expect(t, get(t, d, demo+"/config"), "a: ours\n")
		sn, err := client(t, d).At(t.Context(), "head")
		if err != nil {
			t.Fatal(err)
		}
		b, err := sn.ReadKept(t.Context(), "config")
		if err != nil || string(b) != "a: in the way\n" || sn.Commit().Kind != store.Conflict {
			t.Errorf("kept %q in a commit of kind %s, %v", b, sn.Commit().Kind, err)
		}
	})
}
