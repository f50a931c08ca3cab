package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// absent are commands of kops that are not here yet, with what serves instead.
// They are known so that one line says so, rather than "unknown command".
var absent = []struct{ path, instead string }{
	{"create keypair", "stateroom update cluster --yes makes the keysets that a cluster lacks"},
	{"create secret", ""},
	{"create sshpublickey", "put it into a file as an SSHCredential, then stateroom create -f FILE"},
	{"delete instance", ""},
	{"delete secret", ""},
	{"delete sshpublickey", ""},
	{"distrust keypair", ""},
	{"get assets", ""},
	{"get instances", "stateroom status shows the hosts"},
	{"get secrets", ""},
	{"get sshpublickeys", ""},
	{"promote keypair", ""},
	{"reconcile cluster", "stateroom update cluster --yes --wait"},
	{"rolling-update cluster", "hosts follow what is released: stateroom update cluster --yes --wait"},
	{"toolbox", ""},
	{"trust keypair", ""},
	{"upgrade cluster", "stateroom edit cluster --set spec.kubernetesVersion=VERSION, then stateroom update cluster --yes"},
}

func addAbsent(root *cobra.Command) {
	for _, a := range absent {
		parent := root
		words := strings.Fields(a.path)
		for _, word := range words[:len(words)-1] {
			parent = childNamed(parent, word)
		}
		parent.AddCommand(absentCmd(a.path, words[len(words)-1], a.instead))
	}
}

// childNamed is the command of that name below parent, made hidden where there
// is none.
func childNamed(parent *cobra.Command, word string) *cobra.Command {
	for _, c := range parent.Commands() {
		if c.Name() == word {
			return c
		}
	}
	c := absentCmd(word, word, "")
	parent.AddCommand(c)
	return c
}

func absentCmd(path, word, instead string) *cobra.Command {
	return &cobra.Command{
		Use: word, Hidden: true, DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			if instead == "" {
				instead = "kops itself works on the same store"
			}
			return usagef(instead, "%s is a command of kops that this version does not have yet", path)
		},
	}
}
