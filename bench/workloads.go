package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// list is a list of all clusters of a store that another tool filled.
func (b *runner) list(ctx context.Context) error {
	const bucket = "many"
	if err := b.server.backend.CreateBucket(bucket); err != nil {
		return err
	}
	for i := range b.clusters {
		name := fmt.Sprintf("c%04d.example.com", i)
		for key, text := range plainCluster(name, b.objects) {
			put := []byte(text)
			if _, err := b.server.backend.PutObject(bucket, name+"/"+key, map[string]string{}, bytes.NewReader(put), int64(len(put)), nil); err != nil {
				return err
			}
		}
	}
	what := fmt.Sprintf("get clusters, %d of %d objects", b.clusters, b.objects)
	return b.measure(ctx, job{what: what, promised: "< 1 s, < 100 MiB", bucket: bucket, args: always("get", "clusters")})
}

// plainCluster is a cluster as kops writes it, with as many files as wanted.
func plainCluster(name string, objects int) map[string]string {
	files := map[string]string{
		"config":                 fmt.Sprintf(configText, name),
		"instancegroup/control":  fmt.Sprintf(groupText, name, "control", "Master"),
		"instancegroup/nodes":    fmt.Sprintf(groupText, name, "nodes", "Node"),
		"clusteraddons/default":  "",
		"secrets/admin":          `{"Data":"YWJj"}`,
		"cluster-completed.spec": fmt.Sprintf(configText, name),
	}
	for i := 0; len(files) < objects; i++ {
		files[fmt.Sprintf("addons/addon-%02d.addons.k8s.io/k8s-1.12.yaml", i)] = fmt.Sprintf("# add-on %d\n", i)
	}
	return files
}

const configText = `apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  creationTimestamp: "2026-01-01T00:00:00Z"
  name: %s
spec:
  channel: stable
  cloudProvider: aws
  kubernetesVersion: 1.36.0
  subnets:
  - name: a
    type: Public
    zone: us-east-1a
`

const groupText = `apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels:
    kops.k8s.io/cluster: %s
  name: %s
spec:
  machineType: m5.large
  maxSize: 1
  minSize: 1
  role: %s
  subnets:
  - a
`

// oneCluster is the life of one cluster on hosts.
func (b *runner) oneCluster(ctx context.Context) error {
	const bucket = "one"
	if err := b.server.backend.CreateBucket(bucket); err != nil {
		return err
	}
	catalogue := filepath.Join(b.home, "catalogue.json")
	if err := os.WriteFile(catalogue, []byte(catalogueText), 0o600); err != nil {
		return err
	}
	name := func(run int) string { return fmt.Sprintf("n%d.example.com", run) }
	create := func(run int) error {
		_, err := b.run(ctx, bucket, "create", "cluster", name(run))
		return err
	}
	if err := create(b.runs); err != nil { // one more, that is read and edited
		return err
	}
	old := name(b.runs)
	for _, j := range []job{
		{what: "get cluster -o yaml", promised: "2 in a row", args: always("get", "cluster", old, "-o", "yaml")},
		{what: "edit cluster --set, one file", promised: "8 requests, 5 in a row", args: func(run int) []string {
			return []string{"edit", "cluster", old, "--set", fmt.Sprintf("spec.kubeAPIServer.maxRequestsInflight=%d", 100+run)}
		}},
		{what: "log", args: always("log", old)},
		{what: "status", args: always("status", old)},
		{what: "diff", args: always("diff", old)},
		{what: "get instancegroups", args: always("get", "instancegroups", "--name", old)},
		{what: "why", args: always("why", "spec.channel", "--name", old)},
		{what: "draft list", args: always("draft", "list", "--name", old)},
		{what: "update cluster (plan)", args: always("update", "cluster", old, "--catalogue", catalogue)},
		{what: "update cluster --yes, the first", promised: "< 60 requests, < 8 in a row", before: create, args: func(run int) []string {
			return []string{"update", "cluster", name(run), "--yes", "--catalogue", catalogue}
		}},
	} {
		j.bucket = bucket
		if err := b.measure(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

// catalogueText names programs that nobody fetches here.
const catalogueText = `{"format":1,"versions":[{"version":"1.37.2","os":"linux","arch":"amd64","assets":[{"name":"kubernetes",
 "programs":["etcd","kube-apiserver","kube-controller-manager","kube-scheduler","kubectl"],
 "url":"https://example.com/kubernetes","sha256":"0000000000000000000000000000000000000000000000000000000000000000"}]}]}
`
