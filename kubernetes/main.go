// Command kubernetes is every program of a Kubernetes control plane, and
// kubectl, etcd and etcdutl, in one file. Which one runs is decided by the name it was
// started under, or, when that is none of them, by the first argument:
//
//	ln -s kubernetes kube-apiserver && ./kube-apiserver --version
//	./kubernetes kube-apiserver --version
//
// It is built from the Go module proxy and nothing else, so that a host
// without any other source of programs can still run a cluster. It adds no
// behaviour to the programs in it.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of the API client
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info
)

// programs lists the programs by the name they are started under.
// etcd is apart: it is not a cobra command and ends the process by itself.
var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
	"etcdutl":                 newEtcdutl,
}

// newEtcdutl puts etcd's program for its files together as etcd does, which
// keeps the root command in a package main.
func newEtcdutl() *cobra.Command {
	cmd := &cobra.Command{Use: "etcdutl", Short: "An administrative command line tool for etcd3."}
	cmd.PersistentFlags().DurationVar(&etcdutl.FlockTimeout, "timeout", 10*time.Second, "time to wait to obtain a file lock on db file, 0 to block indefinitely")
	cmd.PersistentFlags().StringVarP(&etcdutl.OutputFormat, "write-out", "w", "simple", "set the output format (fields, json, protobuf, simple, table)")
	cmd.AddCommand(etcdutl.NewDefragCommand(), etcdutl.NewSnapshotCommand(), etcdutl.NewHashKVCommand(), etcdutl.NewVersionCommand(), etcdutl.NewMigrateCommand())
	return cmd
}

func main() {
	name := filepath.Base(os.Args[0])
	if !known(name) && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = filepath.Base(os.Args[0])
	}
	if !known(name) {
		fmt.Fprintf(os.Stderr, "kubernetes: no program %q; the first argument is one of etcd, etcdutl, kube-apiserver, kube-controller-manager, kube-proxy, kube-scheduler, kubectl, kubelet\n", name)
		os.Exit(2)
	}
	if name == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	cmd := programs[name]()
	if name == "kubectl" {
		// kubectl reads its arguments itself, for plugins, when it is made.
		os.Exit(cli.Run(cmd))
	}
	cmd.SetArgs(os.Args[1:])
	os.Exit(cli.Run(cmd))
}

// known says whether a name, with or without the ending of a Windows program,
// is one of ours.
func known(name string) bool {
	name = strings.TrimSuffix(name, ".exe")
	return name == "etcd" || programs[name] != nil
}
