package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/internal/backends"
)

type initOptions struct {
	group  bool
	dryRun bool
}

func storeInitCmd(env *Env) *cobra.Command {
	var opt initOptions
	cmd := &cobra.Command{
		Use:   "init [URL]",
		Short: "Make a store",
		Long: `Make a store: the directory, for you alone, and its id in .stateroom/store. With
--group it is for a team: writable for the directory's group, and all that is
made in it belongs to that group. A store that is there already stays as it is;
so does what lies in a directory of kops, which becomes a store by this.

A store can also be a folder of a bucket or of a server: see docs/providers.md.
The bucket must be there: where it lies, who may read it and what it keeps is
decided where it is made. The service is checked first, quickly, and what was
found is kept in the store; store check does it thoroughly. Where a service
accepts conditional writes and ignores them, no store is made.

Without URL: the store that --state or the environment names, else your own.
A store needs no init: the first write makes it.`,
		Example: "  stateroom store init\n  stateroom store init /srv/state --group\n  stateroom store init s3://example-state/clusters",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStoreInit(cmd.Context(), env, opt, args)
		},
	}
	cmd.Flags().BoolVar(&opt.group, "group", false, "for a team: writable for the directory's group")
	cmd.Flags().BoolVar(&opt.dryRun, "dry-run", false, "say what would be made, and write nothing")
	return cmd
}

func runStoreInit(ctx context.Context, env *Env, opt initOptions, args []string) error {
	url, err := env.placeOf(args)
	if err != nil {
		return err
	}
	dir, onDisk := backends.Dir(url)
	if onDisk && !strings.Contains(url, "://") {
		dir, url = absolute(dir), absolute(dir)
	}
	if opt.group && !onDisk {
		return usagef("who may write to it is set at the service", "--group is for a store in a directory")
	}
	if opt.dryRun {
		return env.wouldInit(dir, onDisk, url)
	}
	if onDisk {
		if err := stateroom.InitDir(dir, opt.group); err != nil {
			return err
		}
	}
	objects, err := env.objects(ctx, url)
	if err != nil {
		return err
	}
	id, isNew, err := stateroom.Init(ctx, objects, env.options())
	if err != nil {
		return err
	}
	word := "is a store already"
	if isNew {
		word = "is a store now"
	}
	_, err = fmt.Fprintf(env.Stdout, "%s %s, id %s\nexport STATEROOM_STATE_STORE=%s\n", url, word, id, shellQuote(url))
	return err
}

func (env *Env) wouldInit(dir string, onDisk bool, url string) error {
	word := "its id would be written to .stateroom/store"
	if onDisk {
		_, err := os.Stat(dir)
		_, errID := os.Stat(filepath.Join(dir, ".stateroom", "store"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			word = "the directory would be made, and " + word
		case errID == nil:
			word = "it is a store already"
		}
	}
	_, err := fmt.Fprintf(env.Stdout, "%s: %s\ndry run, nothing was written\n", url, word)
	return err
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// shellQuote writes a word as a shell reads it.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:@%+=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
