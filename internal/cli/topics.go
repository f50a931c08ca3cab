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

const formatsTopic = `A store is plain files, and every format is written down in docs/formats:

  store-layout, log-record, head,    the history beside a cluster's files
  draft, applied, merge
  documents, cluster-documents,      kops' own documents, how they are made
  create-cluster, cloud-facts,       and changed, and what create cluster
  channel, keyset                    goes by
  plan, release, bundle, bootstrap,  what hosts follow, keep and report
  host, report, catalogue
  check, jsonpath                    what commands print and take
  store-file-driver,                 how a directory and a server keep what
  store-sftp-driver                  object stores do

The history of a cluster is a git fast-import stream:

  git init -b main history
  cat STORE/.stateroom/NAME/log/* | git -C history fast-import
`

const environmentTopic = `Environment:

  STATEROOM_STATE_STORE, KOPS_STATE_STORE
        the store, where --state does not say it
  STATEROOM_CLUSTER_NAME, KOPS_CLUSTER_NAME
        the cluster, where neither the argument nor --name says it
  STATEROOM_AUTHOR
        who makes commits: "Ada <ada@example.com>"; else GIT_AUTHOR_NAME and
        GIT_AUTHOR_EMAIL (or EMAIL), else the login (USER, LOGNAME)
  STATEROOM_EDITOR, KUBE_EDITOR, VISUAL, EDITOR
        the editor
  HOME, XDG_DATA_HOME, XDG_CACHE_HOME
        where the default store and hosts lie, and programs
  STATEROOM_NO_CACHE
        set to anything, as --no-cache: keep no copies of log records and
        documents of stores that are not on this machine's disk, and use none.
        Else up to 64 MB of them lie in stateroom/store of the cache directory,
        for you alone, without what holds secrets or keys
  NO_COLOR, TERM=dumb
        no colour
  COLUMNS
        the width of tables

  S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY,
  KOPS_STATE_S3_ACL, AWS_...
        stores in buckets of S3 and services like it
  GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_CLOUD_QUOTA_PROJECT, CLOUDSDK_CONFIG,
  GCE_METADATA_HOST, STORAGE_EMULATOR_HOST
        stores in Google Cloud Storage
  AZURE_STORAGE_..., AZURE_TENANT_ID, AZURE_CLIENT_..., AZURE_FEDERATED_...,
  AZURE_AUTHORITY_HOST
        stores in Azure; create cluster takes AZURE_SUBSCRIPTION_ID
  SSH_AUTH_SOCK
        stores over SFTP

docs/providers.md says of each service what is read, and in which order.
`
