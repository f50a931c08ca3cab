package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// kopsCommands are the commands of kops 1.37.
var kopsCommands = []string{
	"completion", "create cluster", "create instancegroup", "create keypair", "create secret", "create sshpublickey",
	"delete cluster", "delete instance", "delete instancegroup", "delete secret", "delete sshpublickey",
	"distrust keypair", "edit cluster", "edit instancegroup", "export kubeconfig",
	"get all", "get assets", "get clusters", "get instancegroups", "get instances", "get keypairs", "get secrets", "get sshpublickeys",
	"promote keypair", "reconcile cluster", "replace", "rolling-update cluster", "toolbox", "trust keypair",
	"update cluster", "upgrade cluster", "validate cluster", "version",
}

// compatTopic says what of kops is here, from the commands themselves.
func compatTopic(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "compat",
		Short: "Which commands of kops are here, and how to go back to kops",
		Long:  compatText(root),
	}
}

func compatText(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("A store of Stateroom is a store of kops with .stateroom beside the clusters: both\nwork on the same files, and what kops writes becomes a commit of its own.\n\nCommands of kops that are here, by the same name:\n\n")
	for _, path := range kopsCommands {
		if c := existing(root, path); c != nil {
			fmt.Fprintf(&b, "  %-24s %s\n", path, c.Short)
		}
	}
	b.WriteString("\nCommands of kops that are not here yet; kops itself does them on the same files:\n\n")
	for _, path := range kopsCommands {
		if existing(root, path) == nil {
			fmt.Fprintf(&b, "  %s%s\n", path, insteadOf(path))
		}
	}
	b.WriteString(compatBack)
	return b.String()
}

// existing is the command at a path, or nil where there is none that works.
func existing(root *cobra.Command, path string) *cobra.Command {
	c := root
	for word := range strings.FieldsSeq(path) {
		i := slices.IndexFunc(c.Commands(), func(child *cobra.Command) bool { return child.Name() == word && !child.Hidden })
		if i < 0 {
			return nil
		}
		c = c.Commands()[i]
	}
	return c
}

// insteadOf says, in lines of at most 80 characters, what serves instead.
func insteadOf(path string) string {
	for _, a := range absent {
		if a.path != path || a.instead == "" {
			continue
		}
		var b strings.Builder
		width := 81
		for word := range strings.FieldsSeq(a.instead) {
			if width += len(word) + 1; width > 80 {
				b.WriteString("\n     ")
				width = 5 + 1 + len(word)
			}
			b.WriteString(" " + word)
		}
		return b.String()
	}
	return ""
}

const compatBack = `
What is different: create cluster writes kops' documents for all clouds of kops
and for hosts, and asks no cloud: --cloud-facts says what one would answer; "kops
create cluster ... --dry-run -o yaml | stateroom create -f -" lets kops ask. Run
again, it changes what its flags say and no more. Not taken are --target terraform,
--out, --add, --config-base, --discovery-service and --spotinst-*; each says what to
do instead. update cluster --yes makes clusters on hosts live; those in a cloud stay
with kops. edit cluster takes --set and --unset beside an editor, and every command
that writes takes -m MESSAGE and --dry-run.

To go back to kops alone:

  stateroom down                    where this machine is a host of the cluster
  rm -r STORE/.stateroom

What is left is a plain store of kops, byte for byte as kops would read it: the
clusters, their instance groups, add-ons, keysets and secrets. What goes is the
history, the releases that hosts follow, and what the hosts reported. Opened by
Stateroom again, it begins a new history with an import.
`
