package cli

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

// atFlag is the flag --at of commands that read: what was so at a commit.
type atFlag struct{ at string }

func (a *atFlag) atFlag(f *pflag.FlagSet) {
	f.StringVar(&a.at, "at", "", "as of a commit: a number, head~2, or a time (2026-01-02T15:04:05Z)")
}

// open opens the store, as it was then where the flag says so.
func (a *atFlag) open(ctx context.Context, env *Env) (*stateroom.Store, error) {
	if a.at != "" && !ref.MatchString(a.at) {
		return nil, noCommit(a.at)
	}
	if a.at != "" && env.draft != "" {
		return nil, usagef("leave one of them out; stateroom draft show "+env.draft+" lists the commits of the draft", "--at is a commit of the cluster, and --draft %s is beside it", env.draft)
	}
	s, err := env.open(ctx)
	if err != nil || a.at == "" {
		return s, err
	}
	return s.AsOf(a.at), nil
}

// openCluster is open, and says which cluster in the store is meant.
func (a *atFlag) openCluster(ctx context.Context, env *Env, arg string) (*stateroom.Store, cluster.Name, error) {
	s, err := a.open(ctx, env)
	if err != nil {
		return nil, "", err
	}
	name, err := env.cluster(ctx, s, arg)
	return s, name, err
}

func noCommit(given string) error {
	return usagef("a commit is a number, head, head~2, or a time like 2026-01-02T15:04:05Z", "%q names no commit", given)
}
