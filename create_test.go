package stateroom

import (
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// TestClustersInCloudsSayWhereTheyLie, for kops, where the store is one that
// kops reaches from the cloud.
func TestClustersInCloudsSayWhereTheyLie(t *testing.T) {
	for place, want := range map[string]string{
		"s3://bucket/state":                 "s3://bucket/state/a.example.com",
		"gs://bucket":                       "gs://bucket/a.example.com",
		"s3://bucket/state?endpoint=http:x": "s3://bucket/state/a.example.com",
		"/srv/state":                        "",
		"mem://x":                           "",
	} {
		s, err := Open(t.Context(), vfs.New(mem.New(mem.Options{}), place), Options{Author: "Ada <ada@example.com>"})
		if err != nil {
			t.Fatal(err)
		}
		for _, cloud := range []string{"aws", "metal"} {
			opt := cluster.CreateOptions{Name: "a.example.com", Cloud: cloud, Zones: []string{"us-east-1a"}}
			out, err := s.Create(t.Context(), Create{CreateOptions: opt}, Write{DryRun: true})
			if err != nil {
				t.Fatal(err)
			}
			config := string(out.Changes[1].After)
			if cloud == "metal" {
				want = ""
			}
			if has := strings.Contains(config, "  configBase: "); has != (want != "") || has && !strings.Contains(config, "  configBase: "+want+"\n") {
				t.Errorf("%s in %s:\n%s", cloud, place, config)
			}
		}
	}
}

// TestCreateKeepsSSHKeysWhereKopsDoes: by their fingerprint, beside those that
// are there.
func TestCreateKeepsSSHKeysWhereKopsDoes(t *testing.T) {
	s := opened(t)
	create(t, s)
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICMN1+fWY3Vfiv7ekDBEqZRzL3zh8qr9Wvx8HA66DeTD ada@example.com"
	cr := Create{CreateOptions: cluster.CreateOptions{Name: demo}, SSHKey: key}
	out, err := s.Create(t.Context(), cr, Write{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Changes) != 1 || out.Changes[0].Name != "pki/ssh/public/admin/04280b1afa1892467397f52596d25c59" || string(out.Changes[0].After) != key+"\n" {
		t.Errorf("changes %+v", out.Changes)
	}
	if out, err = s.Create(t.Context(), cr, Write{}); err != nil || len(out.Changes) != 0 {
		t.Errorf("once more: %+v, %v", out, err)
	}
	for _, bad := range []string{"ssh-rsa", "ssh-rsa !!!", key + "\n" + key} {
		cr.SSHKey = bad
		if _, err := s.Create(t.Context(), cr, Write{}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
