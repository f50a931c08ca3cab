package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/pki"
)

type getKeypairsOptions struct {
	output
	atFlag
	distrusted bool
}

func getKeypairsCmd(env *Env) *cobra.Command {
	var opt getKeypairsOptions
	cmd := &cobra.Command{
		Use:     "keypairs [KEYSET...]",
		Aliases: []string{"keypair"},
		Short:   "Show keysets and their certificates, never a private key",
		Example: "  stateroom get keypairs --name demo.example.com\n  stateroom get keypairs kubernetes-ca -o yaml",
		Args:    atMost(math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGetKeypairs(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON, asName, asJSONPath)
	opt.atFlag.atFlag(cmd.Flags())
	cmd.Flags().BoolVar(&opt.distrusted, "distrusted", false, "distrusted items too")
	return cmd
}

func runGetKeypairs(ctx context.Context, env *Env, opt getKeypairsOptions, args []string) error {
	s, name, err := opt.openCluster(ctx, env, "")
	if err != nil {
		return err
	}
	keysets, err := s.Keysets(ctx, name)
	if err != nil {
		return err
	}
	if len(keysets) == 0 && len(args) == 0 {
		env.sayf("%s has no keysets yet; stateroom update cluster --yes makes them", name)
	}
	if len(args) > 0 {
		for _, arg := range args {
			if !slices.ContainsFunc(keysets, func(k *pki.Keyset) bool { return k.Name == arg }) {
				return stateroom.NoKeyset(name, arg)
			}
		}
		keysets = slices.DeleteFunc(keysets, func(k *pki.Keyset) bool { return !slices.Contains(args, k.Name) })
	}
	return env.showKeysets(opt, keysets, len(args) != 1)
}

func (env *Env) showKeysets(opt getKeypairsOptions, keysets []*pki.Keyset, list bool) error {
	t := &table{header: []string{"NAME", "ID", "ISSUED", "EXPIRES", "PRIMARY", "HASPRIVATE"}}
	if opt.distrusted {
		t.header = slices.Insert(t.header, 4, "DISTRUSTED")
	}
	var documents [][]byte
	for _, k := range keysets {
		if opt.format == asName {
			if _, err := fmt.Fprintln(env.Stdout, "keyset/"+k.Name); err != nil {
				return err
			}
		}
		documents = append(documents, stateroom.PublicKeyset(k).Encode())
		for _, it := range k.Items {
			if it.Trusted() || opt.distrusted {
				t.add(env.keysetRow(k, it, opt.distrusted)...)
			}
		}
	}
	return env.showDocuments(opt.output, t, documents, list)
}

// soon is how long before its end a certificate is marked.
const soon = 90 * 24 * time.Hour

func (env *Env) keysetRow(k *pki.Keyset, it pki.Item, distrusted bool) []string {
	issued, expires := "unreadable", "unreadable"
	if c, err := it.X509(); err == nil {
		issued, expires = day(c.NotBefore), day(c.NotAfter)
		switch left := c.NotAfter.Sub(env.Now()); {
		case left < 0:
			expires += " (expired)"
		case left < soon:
			expires += fmt.Sprintf(" (in %d days)", int(left.Hours()/24))
		}
	}
	row := []string{k.Name, it.ID, issued, expires}
	if distrusted {
		row = append(row, day(it.Distrusted))
	}
	return append(row, mark(it.ID == k.Primary), strconv.FormatBool(!it.Key.IsZero()))
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func mark(yes bool) string {
	if yes {
		return "*"
	}
	return ""
}
