package cli

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
)

// TestCompletionNeverBlocks asks a store that does not answer.
func TestCompletionNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cmd := &cobra.Command{}
		cmd.SetContext(t.Context())
		c := &completer{quiet()}
		start := time.Now()
		got := c.found(func(context.Context, *cobra.Command, []string, string) []string {
			time.Sleep(time.Hour) // heeds no context
			return []string{"late"}
		}, cmd, nil, "")
		if took := time.Since(start); got != nil || took != completionTime {
			t.Errorf("%v after %v", got, took)
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestCompletionKeepsWhatBeginsAsTyped(t *testing.T) {
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	c := &completer{quiet()}
	all := func(context.Context, *cobra.Command, []string, string) []string { return []string{"ab", "ac", "b"} }
	if got := c.found(all, cmd, nil, "a"); !slices.Equal(got, []string{"ab", "ac"}) {
		t.Errorf("%q", got)
	}
}

// TestWhatIsCompletedExists finds the command of every line in completes, but
// for those that this version does not have.
func TestWhatIsCompletedExists(t *testing.T) {
	root := newRoot(quiet())
	for path := range completes {
		c, rest, err := root.Find(strings.Fields(path))
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v %q", path, err, rest)
		} else if c.ValidArgsFunction == nil {
			t.Errorf("%s completes nothing", path)
		}
	}
}

func TestPathsOfFields(t *testing.T) {
	for path, want := range map[string]string{
		"":                                "",
		"spec.":                           "spec.",
		"spec.etcdClusters[0].":           "spec.etcdClusters[].",
		"spec.etcdClusters[name=main].a.": "spec.etcdClusters[].a.",
		"spec.a[0].b[1].":                 "spec.a[].b[].",
		"spec.a[":                         "spec.a[",
	} {
		if got := elementless(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

// TestCompatNamesEveryCommandOfKops once, here or not here yet.
func TestCompatNamesEveryCommandOfKops(t *testing.T) {
	root := newRoot(quiet())
	text := compatText(root)
	here, missing, _ := strings.Cut(text, "not here yet")
	for _, path := range kopsCommands {
		inHere, inMissing := strings.Contains(here, "  "+path+" "), strings.Contains(missing, "\n  "+path+"\n")
		if inHere == inMissing {
			t.Errorf("%s: here %v, missing %v", path, inHere, inMissing)
		}
		if (existing(root, path) != nil) != inHere {
			t.Errorf("%s is not said rightly", path)
		}
	}
	for _, a := range absent {
		if !slices.Contains(kopsCommands, a.path) {
			t.Errorf("%s is not among the commands of kops", a.path)
		}
	}
}
