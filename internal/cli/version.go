package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
)

func versionCmd(env *Env) *cobra.Command {
	var opt output
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the version",
		Example: "  stateroom version",
		Args:    atMost(0),
		RunE:    func(*cobra.Command, []string) error { return runVersion(env, opt) },
	}
	opt.flag(cmd.Flags(), "text", asYAML, asJSON)
	return cmd
}

func runVersion(env *Env, opt output) error {
	if err := opt.check(); err != nil {
		return err
	}
	v := struct {
		Version  string `json:"version"`
		Revision string `json:"revision,omitempty"`
		Go       string `json:"go"`
		Platform string `json:"platform"`
	}{Version: stateroom.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, s := range built.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	switch opt.format {
	case asJSON:
		return writeJSON(env.Stdout, v)
	case asYAML:
		return writeYAML(env.Stdout, v)
	}
	_, err := fmt.Fprintf(env.Stdout, "stateroom %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return err
}
