package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/internal/backends"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/probe"
)

type checkOptions struct {
	output
	quick   bool
	writers int
}

func storeCheckCmd(env *Env) *cobra.Command {
	var opt checkOptions
	cmd := &cobra.Command{
		Use:   "check [URL]",
		Short: "Try what a service really does",
		Long: `Try what a service does with all that a store needs of it: conditions of writes,
alone and among many writers at a time, reads and lists after writes, metadata,
long lists. Some services that call themselves compatible accept a condition,
ignore it, and answer that all went well: on those, two people who commit at the
same time overwrite each other unseen.

It writes below .stateroom/check and removes that again, also when interrupted.
Where a store lies at the place, what was found is kept in it.

  ok       as it should be
  weak     a store works here, at a price that is named
  lacking  the service says that it cannot: read-only without --single-writer
  broken   the service says one thing and does another: nothing is committed there

It exits with 0 if a store works here, and with 1 if not. Without URL: the store
that --state or the environment names.`,
		Example: "  stateroom store check s3://example-state\n  stateroom store check -o json",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStoreCheck(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	cmd.Flags().BoolVar(&opt.quick, "quick", false, "leave out the list of more than a thousand objects")
	cmd.Flags().IntVar(&opt.writers, "writers", 16, "how many write at the same time")
	return cmd
}

// checkView is a check as programs read it: docs/formats/check.md.
type checkView struct {
	Store      string            `json:"store"`
	Verdict    probe.Verdict     `json:"verdict"`
	Writable   bool              `json:"writable"`
	Conditions map[string]string `json:"conditions"`
	Findings   []probe.Finding   `json:"findings"`
}

func runStoreCheck(ctx context.Context, env *Env, opt checkOptions, args []string) error {
	if opt.writers < 2 || opt.writers > 256 {
		return usagef("--writers 16", "%d writers are no race: from 2 to 256", opt.writers)
	}
	objects, err := env.openObjects(ctx, args)
	if err != nil {
		return err
	}
	if dir, onDisk := backends.Dir(objects.Name()); onDisk {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return &noDirError{dir}
		}
	}
	r, err := stateroom.Check(ctx, objects, env.options(), probe.Options{Writers: opt.writers, Quick: opt.quick})
	if err != nil {
		return err
	}
	v := viewCheck(objects.Name(), r)
	if err := env.showCheck(opt, v); err != nil {
		return err
	}
	if !v.Writable {
		return exitStatus(exitError)
	}
	return nil
}

// openObjects opens the place that the only argument names, or else the store.
func (env *Env) openObjects(ctx context.Context, args []string) (*vfs.FS, error) {
	url, err := env.placeOf(args)
	if err != nil {
		return nil, err
	}
	return env.objects(ctx, url)
}

// placeOf is the address that the only argument names, or else the store's.
func (env *Env) placeOf(args []string) (string, error) {
	if first(args) == "" {
		return env.storeURL()
	}
	url, err := address(args[0])
	if err == nil && env.state != "" && trimSlash(env.state) != url {
		err = usagef("say it once: "+shown(url)+", or --state "+shown(env.state), "the argument says store %q and --state says %q", shown(url), shown(env.state))
	}
	return url, err
}

func viewCheck(place string, r *probe.Result) checkView {
	worst := r.Worst()
	return checkView{
		Store: place, Verdict: worst, Writable: worst == probe.OK || worst == probe.Weak,
		Conditions: map[string]string{"create": string(r.Create), "replace": string(r.Replace), "delete": string(r.Delete)},
		Findings:   r.Findings,
	}
}

func (env *Env) showCheck(opt checkOptions, v checkView) error {
	if asked, err := opt.forPrograms(env.Stdout, v); asked {
		return err
	}
	said := probe.Finding{}
	for _, f := range v.Findings {
		means, do := f.Means, f.Do
		if means == said.Means && do == said.Do { // as of the one above
			means, do = "", ""
		}
		env.showVerdict(string(f.Verdict), f.Check, f.Saw, means, do)
		said = f
	}
	line := map[probe.Verdict]string{
		probe.OK:      "all is as it should be",
		probe.Weak:    "a store works here; see what is weak",
		probe.Lacking: "the service has no conditional writes: stores are read here, and written only with --single-writer",
		probe.Broken:  "no store can be written here",
	}[v.Verdict]
	_, err := fmt.Fprintf(env.Stdout, "%s: %s\n", v.Store, line)
	return err
}

// showVerdict prints what one check came to.
func (env *Env) showVerdict(verdict, what, saw, means, do string) {
	shade := map[string]color{"ok": green, "weak": yellow}[verdict]
	if shade == "" {
		shade = red
	}
	fmt.Fprintf(env.Stdout, "%s %-20s %s\n", env.paint(env.Stdout, shade, fmt.Sprintf("%-8s", verdict)), what, clean(saw))
	if means != "" {
		fmt.Fprintf(env.Stdout, "  means  %s\n", clean(means))
	}
	if do != "" {
		fmt.Fprintf(env.Stdout, "  do     %s\n", clean(do))
	}
}

// noDirError is the refusal to check a directory that is not there: what a
// check writes there first would be the directory.
type noDirError struct{ dir string }

func (e *noDirError) Error() string { return e.dir + " is not there" }
func (e *noDirError) Unwrap() error { return fs.ErrNotExist }
func (e *noDirError) Hint() string  { return "make it with: stateroom store init " + shellQuote(e.dir) }
