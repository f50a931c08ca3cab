package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// isPlanFile reports whether the argument of update cluster is a saved plan: it
// cannot be a cluster's name, or there is a file of that name.
func isPlanFile(arg string) bool {
	if strings.ContainsAny(arg, "/\\") {
		return true
	}
	st, err := os.Stat(arg)
	return err == nil && st.Mode().IsRegular()
}

// savePlan keeps a plan in a file that nobody else can read, and replaces a plan
// that lies there.
func (env *Env) savePlan(ctx context.Context, s *stateroom.Store, u *stateroom.Update, file string) error {
	old, err := readOld(ctx, file, stateroom.MaxSavedPlan)
	if err != nil {
		return err
	}
	if _, err := stateroom.ParseSavedPlan(old); err != nil && len(old) > 0 {
		return &occupiedError{file, "is no plan", "name another file with --out"}
	}
	b, err := s.Save(u)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(dirOf(file), ".stateroom-plan-")
	if err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	defer os.Remove(next.Name()) //nolint:errcheck // it is there no more, as a rule
	_, err = next.Write(b)
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(next.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	env.sayf("the plan is kept in %s; to do it: stateroom update cluster %s --yes", file, planArgument(file))
	return nil
}

func dirOf(file string) string {
	if i := strings.LastIndexByte(file, os.PathSeparator); i >= 0 {
		return file[:i+1]
	}
	return "."
}

// planArgument is the name of a plan file as update cluster takes it.
func planArgument(file string) string {
	if strings.ContainsRune(file, os.PathSeparator) {
		return file
	}
	return "./" + file
}

// runSavedPlan shows a saved plan, and with --yes does it.
func runSavedPlan(ctx context.Context, env *Env, opt updateOptions, file string) error {
	b, err := orGiveUp(ctx, func() ([]byte, error) { return readCapped(file, stateroom.MaxSavedPlan) })
	if err != nil {
		return advise(err, "stateroom update cluster --out %s makes a plan", file)
	}
	p, err := stateroom.ParseSavedPlan(b)
	if _, notName := cluster.ParseName(file); err != nil && notName == nil {
		return advise(fmt.Errorf("read %s: %w", file, err), "there is a file of that name here; the cluster is meant with --name %s", file)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if env.name != "" && env.name != string(p.Cluster) {
		return usagef("leave out --name", "%s is a plan of %s, and --name says %s", file, p.Cluster, env.name)
	}
	s, err := env.open(ctx)
	if err != nil {
		return err
	}
	env.meant = p.Cluster
	programs, show, err := env.programs(ctx, opt.programFlags)
	if err != nil {
		return err
	}
	defer show.done()
	w := opt.writeIf(opt.yes)
	u, err := s.UpdateSaved(ctx, p, programs, w)
	show.done()
	if stale := new(stateroom.StaleError); errors.As(err, &stale) {
		opt.stale = true
		if err := env.showUpdate(opt, p.Update()); err != nil {
			return err
		}
		for _, c := range stale.Since {
			env.sayf("since then: %s", commitLine(c))
		}
	}
	if err != nil {
		return err
	}
	if err := env.showUpdate(opt, u); err != nil {
		return err
	}
	return env.afterUpdate(ctx, s, opt, u, show)
}

// commitLine names a commit on one line.
func commitLine(c *store.Commit) string {
	message, _, _ := strings.Cut(c.Message, "\n")
	return fmt.Sprintf("commit %d by %s: %s", c.Number, nameOf(c.Author), message)
}
