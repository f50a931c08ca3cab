package cli

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type getOptions struct {
	output
	atFlag
}

// cluster reads the cluster that is meant.
func (o *getOptions) cluster(ctx context.Context, env *Env, arg string) (*stateroom.Store, *cluster.Cluster, error) {
	s, name, err := o.openCluster(ctx, env, arg)
	if err != nil {
		return nil, nil, err
	}
	c, err := s.Cluster(ctx, name)
	return s, c, err
}

func getClustersCmd(env *Env) *cobra.Command {
	var opt getOptions
	cmd := &cobra.Command{
		Use:     "clusters",
		Short:   "List the clusters of the store",
		Example: "  stateroom get clusters\n  stateroom get clusters -o name\n  stateroom get clusters -o 'jsonpath={.items[*].metadata.name}'\n  stateroom get clusters --at 2026-01-02T15:04:05Z",
		Args:    atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runGetClusters(cmd.Context(), env, opt) },
	}
	opt.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON, asName, asJSONPath)
	opt.atFlag.atFlag(cmd.Flags())
	return cmd
}

func runGetClusters(ctx context.Context, env *Env, opt getOptions) error {
	s, err := opt.open(ctx, env)
	if err != nil {
		return err
	}
	list := s.ClusterConfigs
	if opt.format == asWide || opt.at != "" {
		list = s.Clusters // groups and histories are asked for
	}
	entries, err := list(ctx)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return &emptyStoreError{s.Place()}
	}
	return env.showClusters(opt.output, entries)
}

// showClusters prints a list of clusters; those that cannot be read are said
// beside it.
func (env *Env) showClusters(o output, entries []stateroom.Entry) error {
	var broken error
	var documents [][]byte
	t := &table{header: []string{"NAME", "CLOUD", "ZONES"}}
	if o.format == asWide {
		t.header = append(t.header, "VERSION", "GROUPS", "CONFIGBASE")
	}
	for _, e := range entries {
		if o.format == asName {
			if _, err := fmt.Fprintln(env.Stdout, "cluster/"+string(e.Name)); err != nil {
				return err
			}
		}
		if e.Err != nil {
			for line := range strings.SplitSeq(e.Err.Error(), "\n") {
				env.sayf("cluster %s: %s", e.Name, line)
			}
			broken = e.Err
			continue
		}
		documents = append(documents, e.Cluster.Document.Bytes())
		row := []string{string(e.Name), e.Cluster.Cloud(), strings.Join(zones(e.Cluster), ",")}
		if o.format == asWide {
			row = append(row, e.Cluster.Spec.KubernetesVersion, strconv.Itoa(len(e.Cluster.Groups)), e.Cluster.ConfigBase())
		}
		t.add(row...)
	}
	if err := env.showDocuments(o, t, documents, true); err != nil {
		return err
	}
	if broken != nil {
		return exitStatus(exitCode(broken))
	}
	return nil
}

// showDocuments prints documents in the format that was asked for.
func (env *Env) showDocuments(o output, t *table, documents [][]byte, list bool) error {
	switch o.format {
	case asName:
		return nil
	case asYAML:
		return writeDocuments(env.Stdout, documents)
	case asJSON:
		return documentsAsJSON(env.Stdout, documents, list)
	case asJSONPath:
		return env.documentsByPath(o.template, documents, list)
	case asWide:
		return t.write(env.Stdout, 0)
	}
	return t.write(env.Stdout, env.width())
}

// zones are those of a cluster's subnets, each once, in their order.
func zones(c *cluster.Cluster) []string {
	var all []string
	seen := map[string]bool{}
	for _, s := range c.Spec.Subnets {
		if s.Zone != "" && !seen[s.Zone] {
			seen[s.Zone] = true
			all = append(all, s.Zone)
		}
	}
	return all
}

// getDocumentsOptions are those of commands that show documents with defaults.
type getDocumentsOptions struct {
	getOptions
	fullFlag
}

func getClusterCmd(env *Env) *cobra.Command {
	var opt getDocumentsOptions
	cmd := &cobra.Command{
		Use:     "cluster [NAME]",
		Short:   "Show a cluster; -o yaml prints the file's own bytes",
		Long:    "Show a cluster; -o yaml prints the file's own bytes." + fullHelp,
		Example: "  stateroom get cluster demo.example.com -o yaml\n  stateroom get cluster demo.example.com --full\n  stateroom get cluster --at head~1 -o yaml",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opt.choose(cmd, &opt.output); err != nil {
				return err
			}
			return runGetCluster(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON, asName, asJSONPath)
	opt.atFlag.atFlag(cmd.Flags())
	opt.fullFlag.fullFlag(cmd)
	return cmd
}

func runGetCluster(ctx context.Context, env *Env, opt getDocumentsOptions, args []string) error {
	s, c, err := opt.cluster(ctx, env, first(args))
	if err != nil {
		return err
	}
	if opt.full {
		return env.showFull(ctx, opt.output, s, c.Name, []fullFile{{cluster.ConfigFile, c.Document, c}})
	}
	if opt.format == asJSON || opt.format == asJSONPath {
		return env.showDocuments(opt.output, nil, [][]byte{c.Document.Bytes()}, false)
	}
	return env.showClusters(opt.output, []stateroom.Entry{{Name: c.Name, Cluster: c}})
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func getGroupsCmd(env *Env) *cobra.Command {
	var opt getDocumentsOptions
	cmd := &cobra.Command{
		Use:     "instancegroups [GROUP...]",
		Aliases: []string{"instancegroup", "ig", "igs"},
		Short:   "Show the instance groups of a cluster",
		Long:    "Show the instance groups of a cluster; -o yaml prints the files' own bytes." + fullHelp,
		Example: "  stateroom get instancegroups --name demo.example.com\n  stateroom get ig nodes-main -o yaml\n  stateroom get ig nodes-main --full",
		Args:    atMost(math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opt.choose(cmd, &opt.output); err != nil {
				return err
			}
			return runGetGroups(cmd.Context(), env, opt, args)
		},
	}
	opt.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON, asName, asJSONPath)
	opt.atFlag.atFlag(cmd.Flags())
	opt.fullFlag.fullFlag(cmd)
	return cmd
}

func runGetGroups(ctx context.Context, env *Env, opt getDocumentsOptions, args []string) error {
	s, c, err := opt.cluster(ctx, env, "")
	if err != nil {
		return err
	}
	groups, err := chosenGroups(c, args)
	if err != nil {
		return err
	}
	if opt.full {
		var files []fullFile
		for _, g := range groups {
			files = append(files, fullFile{g.File(), g.Document, g})
		}
		return env.showFull(ctx, opt.output, s, c.Name, files)
	}
	return env.showGroups(opt.output, groups, len(args) != 1)
}

func chosenGroups(c *cluster.Cluster, names []string) ([]*cluster.Group, error) {
	if len(names) == 0 {
		return c.Groups, nil
	}
	var groups []*cluster.Group
	for _, name := range names {
		g := c.Group(name)
		if g == nil {
			return nil, stateroom.NoGroup(c, name)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func (env *Env) showGroups(o output, groups []*cluster.Group, list bool) error {
	t := &table{header: []string{"NAME", "ROLE", "MACHINETYPE", "MIN", "MAX", "ZONES"}}
	if o.format == asWide {
		t.header = append(t.header, "IMAGE", "SUBNETS")
	}
	var documents [][]byte
	for _, g := range groups {
		if o.format == asName {
			if _, err := fmt.Fprintln(env.Stdout, "instancegroup/"+g.Name); err != nil {
				return err
			}
		}
		documents = append(documents, g.Document.Bytes())
		row := []string{g.Name, g.Spec.Role.String(), g.Spec.MachineType, number(g.Spec.MinSize), number(g.Spec.MaxSize), strings.Join(groupZones(g), ",")}
		if o.format == asWide {
			row = append(row, g.Spec.Image, strings.Join(g.Spec.Subnets, ","))
		}
		t.add(row...)
	}
	return env.showDocuments(o, t, documents, list)
}

// groupZones are the zones of a group; where it names none, its subnets, which
// as a rule are called after them.
func groupZones(g *cluster.Group) []string {
	if len(g.Spec.Zones) > 0 {
		return g.Spec.Zones
	}
	return g.Spec.Subnets
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func getAllCmd(env *Env) *cobra.Command {
	var opt getOptions
	cmd := &cobra.Command{
		Use:     "all",
		Short:   "Show a cluster, its instance groups and add-ons",
		Example: "  stateroom get all --name demo.example.com -o yaml",
		Args:    atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runGetAll(cmd.Context(), env, opt) },
	}
	opt.flag(cmd.Flags(), asTable, asWide, asYAML, asJSON, asName, asJSONPath)
	opt.atFlag.atFlag(cmd.Flags())
	return cmd
}

func runGetAll(ctx context.Context, env *Env, opt getOptions) error {
	s, c, err := opt.cluster(ctx, env, "")
	if err != nil {
		return err
	}
	if opt.format == asYAML || opt.format == asJSON || opt.format == asJSONPath {
		documents := [][]byte{c.Document.Bytes()}
		for _, g := range c.Groups {
			documents = append(documents, g.Document.Bytes())
		}
		addons, err := s.Addons(ctx, c.Name)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(addons)) > 0 {
			documents = append(documents, addons)
		}
		return env.showDocuments(opt.output, nil, documents, true)
	}
	if err := env.showClusters(opt.output, []stateroom.Entry{{Name: c.Name, Cluster: c}}); err != nil {
		return err
	}
	if opt.format != asName {
		fmt.Fprintln(env.Stdout)
	}
	return env.showGroups(opt.output, c.Groups, true)
}
