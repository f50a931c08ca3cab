package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom/cluster"
)

const asOpenAPI = "openapi"

func schemaCmd(env *Env) *cobra.Command {
	var opt output
	cmd := &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the schema of documents",
		Long: `Print the schema of documents, with what each field does: as JSON Schema (draft
2020-12), which editors check and complete documents by, or as OpenAPI v3, in the
structural form of custom resources with x-kubernetes-list-type.

KIND is cluster or instancegroup (ig); both, where it is not given.`,
		Example: "  stateroom schema >kops.schema.json\n  stateroom schema instancegroup -o openapi",
		Args:    atMost(1),

		ValidArgs: []string{"cluster", "instancegroup"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSchema(env, opt, first(args))
		},
	}
	opt.flag(cmd.Flags(), asJSON, asOpenAPI)
	return cmd
}

func runSchema(env *Env, opt output, word string) error {
	kinds := []string{cluster.KindCluster, cluster.KindInstanceGroup}
	if word != "" {
		kind, ok := kindWords[strings.ToLower(strings.TrimSuffix(word, "s"))]
		if !ok {
			return usagef("stateroom schema cluster, or instancegroup", "there is no kind %q", word)
		}
		kinds = []string{kind}
	}
	if opt.format == asOpenAPI {
		return writeJSON(env.Stdout, cluster.OpenAPI(kinds...))
	}
	return writeJSON(env.Stdout, cluster.JSONSchema(kinds...))
}
