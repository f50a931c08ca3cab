package cli

import "github.com/spf13/cobra"

// topics are what `stateroom help` explains besides commands.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit codes mean", Long: "Exit codes:\n\n" + exitCodes},
		{Use: "formats", Short: "Where the formats of files are written down", Long: formatsTopic},
		{Use: "environment", Short: "Which environment variables are read", Long: environmentTopic},
	}
}

const formatsTopic = `A store is plain files, and every format in it is written down in docs/formats:

  store-layout, log-record, head,   the history beside a cluster's files
  lease
  cluster-documents, keyset         kops' own documents, and how --set changes them
  release, bundle, bootstrap,       what hosts follow and report
  report, catalogue

The history of a cluster is a git fast-import stream:

  git init -b main history
  cat STORE/.stateroom/NAME/log/* | git -C history fast-import
`

const environmentTopic = `Environment:

  STATEROOM_STATE_STORE, KOPS_STATE_STORE
        the store
  STATEROOM_CLUSTER_NAME, KOPS_CLUSTER_NAME
        the cluster
  STATEROOM_AUTHOR
        who makes commits: "Ada <ada@example.com>"; else GIT_AUTHOR_NAME and
        GIT_AUTHOR_EMAIL, else the login
  STATEROOM_EDITOR, KUBE_EDITOR, VISUAL, EDITOR
        the editor
  XDG_DATA_HOME, XDG_CACHE_HOME
        where the default store and hosts lie, and programs
  STATEROOM_NO_CACHE
        set to anything: keep no copies of log records of stores that are not on
        this machine's disk. Else up to 64 MB of them lie in the cache directory,
        for you alone, without those that hold secrets or keys
  NO_COLOR, TERM=dumb
        no colour
  COLUMNS
        the width of tables
`
