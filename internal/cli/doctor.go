package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/internal/backends"
)

type doctorOptions struct{ output }

func doctorCmd(env *Env) *cobra.Command {
	var opt doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor [URL]",
		Short: "Look at how a store is reached, and what is in the way",
		Long: `Look at how a store is reached: where the credentials come from (never what they
are), who one is with them, the clock, whether reading, writing, listing and
deleting are permitted, whether the service keeps old versions and encrypts,
the store's id and format, and how long a request takes. On a directory: its
owner and modes, free space, locks, and whether names can be exchanged.

It writes one object below .stateroom/check, and removes it again. What the
service does with conditions is tried by store check.

It exits with 0 if nothing is in the way, and with 1 if something is. Without
URL: the store that --state or the environment names.`,
		Example: "  stateroom doctor\n  stateroom doctor s3://example-state -o json",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDoctor(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	return cmd
}

// doctorView is what doctor saw, as programs read it: docs/formats/check.md.
type doctorView struct {
	Store   string                `json:"store"`
	Healthy bool                  `json:"healthy"`
	Signs   []stateroom.Diagnosis `json:"signs"`
}

func runDoctor(ctx context.Context, env *Env, opt doctorOptions, args []string) error {
	objects, err := env.openObjects(ctx, args)
	if err != nil {
		return err
	}
	dir := ""
	if at, onDisk := backends.Dir(objects.Name()); onDisk {
		dir = at
	}
	signs, err := stateroom.Doctor(ctx, objects, env.options(), dir)
	if err != nil {
		return err
	}
	v := doctorView{Store: objects.Name(), Healthy: true, Signs: signs}
	for _, s := range signs {
		v.Healthy = v.Healthy && s.Verdict != stateroom.Bad
	}
	if err := env.showDoctor(opt, v); err != nil {
		return err
	}
	if !v.Healthy {
		return exitStatus(exitError)
	}
	return nil
}

func (env *Env) showDoctor(opt doctorOptions, v doctorView) error {
	if asked, err := opt.forPrograms(env.Stdout, v); asked {
		return err
	}
	said := ""
	for _, s := range v.Signs {
		do := s.Do
		if do == said { // one cause has many signs
			do = ""
		}
		env.showVerdict(string(s.Verdict), s.What, s.Saw, "", do)
		said = s.Do
	}
	line := "nothing is in the way"
	if !v.Healthy {
		line = "something is in the way"
	}
	_, err := fmt.Fprintf(env.Stdout, "%s: %s\n", v.Store, line)
	return err
}
