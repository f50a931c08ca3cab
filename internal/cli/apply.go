package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
)

type applyOptions struct {
	writeFlags
	files   []string
	manager string
	force   bool
	adopt   bool
	prune   bool
	yes     bool
}

func applyCmd(env *Env) *cobra.Command {
	var opt applyOptions
	cmd := &cobra.Command{
		Use:   "apply -f FILE|DIR",
		Short: "Keep the fields that files list as the files have them",
		Long: `Make the fields that documents in files list what they say: clusters, instance
groups, SSH keys, and other Kubernetes objects, which are add-ons. Fields that the
same manager applied before and lists no more are removed. All other fields are
others' and stay as they are; so files need hold only what they are to decide.

Where somebody else has set a listed field to another value since, both values are
shown with who set it, and nothing is changed. With --force-conflicts the files win;
with --adopt those fields stay as they are in the cluster.

Of a directory, all .yaml, .yml and .json files in it are taken, not those of
directories in it. With --prune, instance groups that this manager applied before
and that are in no file any more are deleted; they are shown first, and go with --yes.`,
		Example: "  stateroom apply -f cluster.yaml -f groups/ --manager ci\n  stateroom apply -f . --prune --yes\n  stateroom apply -f . --dry-run",
		Args:    noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runApply(cmd.Context(), env, opt)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&opt.files, "filename", "f", nil, "a file or directory, any number of times; - is standard input")
	f.StringVar(&opt.manager, "manager", "apply", "whose files these are: each manager removes only its own fields")
	f.BoolVar(&opt.force, "force-conflicts", false, "where somebody else set a listed field, the files win")
	f.BoolVar(&opt.adopt, "adopt", false, "where somebody else set a listed field, it stays as it is")
	f.BoolVar(&opt.prune, "prune", false, "delete instance groups that are in the files no more")
	f.BoolVarP(&opt.yes, "yes", "y", false, "delete what --prune shows")
	cmd.MarkFlagsMutuallyExclusive("force-conflicts", "adopt")
	opt.changeFlags(f)
	return cmd
}

func runApply(ctx context.Context, env *Env, opt applyOptions) error {
	texts, err := env.readTexts(ctx, opt.files)
	if err != nil {
		return err
	}
	s, home, err := env.openHome(ctx)
	if err != nil {
		return err
	}
	a := stateroom.Apply{Files: texts, Cluster: home, Manager: opt.manager, Force: opt.force, Adopt: opt.adopt, Prune: opt.prune}
	w := opt.write()
	if opt.prune && !opt.yes && !w.DryRun {
		if err := refusePrune(ctx, s, a); err != nil {
			return err
		}
	}
	done, err := s.ApplyFrom(ctx, a, w)
	for _, out := range done {
		if err := env.showApplied(out, opt.manager); err != nil {
			return err
		}
	}
	return err
}

// showApplied prints what became of one cluster. Where no document changes, the
// commit is about whose fields are whose, and that must be said.
func (env *Env) showApplied(out *stateroom.Applied, manager string) error {
	show := func() error { return env.showOutcomeIn(out.Outcome, out.Changes) }
	if len(out.Changes) == 0 && len(out.Noted) > 0 {
		show = func() error {
			env.sayBeside(out.Outcome)
			if _, err := fmt.Fprintf(env.Stdout, "no document changes; from now on manager %s keeps what the files list of %s\n", manager, strings.Join(out.Noted, ", ")); err != nil {
				return err
			}
			return env.showMade(out.Outcome)
		}
	}
	if err := show(); err != nil {
		return err
	}
	if len(out.Left) > 0 {
		env.sayf("in the files no more, and left as they are: instance groups %s; --prune deletes them", strings.Join(out.Left, ", "))
	}
	return nil
}

// refusePrune says which groups would go, where there are any.
func refusePrune(ctx context.Context, s *stateroom.Store, a stateroom.Apply) error {
	done, err := s.ApplyFrom(ctx, a, stateroom.Write{DryRun: true})
	if err != nil {
		return err
	}
	var gone []string
	for _, out := range done {
		for _, group := range out.Pruned {
			gone = append(gone, fmt.Sprintf("%s of %s", group, out.Cluster))
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return usagef("add --yes, or --dry-run to see all of it", "--prune would delete instance groups: %s", strings.Join(gone, ", "))
}

// readTexts reads the files that -f names, and those of its directories.
func (env *Env) readTexts(ctx context.Context, names []string) ([]stateroom.Text, error) {
	var all []stateroom.Text
	for _, name := range names {
		files := []string{name}
		if st, err := os.Stat(name); err == nil && name != "-" && st.IsDir() {
			if files, err = documentsIn(name); err != nil {
				return nil, err
			}
		}
		for _, file := range files {
			b, err := env.readFile(ctx, file)
			if err != nil {
				return nil, err
			}
			all = append(all, stateroom.Text{Name: file, Bytes: b})
		}
	}
	if len(all) == 0 {
		return nil, usagef("stateroom apply -f FILE, or -f DIR", "apply what?")
	}
	return all, nil
}

// documentsIn lists the files of a directory that may hold documents.
func documentsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, noFile(dir, err)
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(e.Name())) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, usagef("name the files with -f FILE", "there is no .yaml, .yml or .json file in %s", dir)
	}
	return files, nil
}
