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
	if asked, err := opt.forPrograms(env.Stdout, v); asked {
		return err
	}
	_, err := fmt.Fprintf(env.Stdout, "stateroom %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return err
}
