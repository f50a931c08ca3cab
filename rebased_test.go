package stateroom

import (
	"context"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// overtaken is a driver that lets somebody else commit just before the next
// record is put.
type overtaken struct {
	vfs.Driver
	by func()
}

func (o *overtaken) Put(ctx context.Context, key string, data []byte, c vfs.Cond, tag string) (vfs.Entry, error) {
	if by := o.by; by != nil && strings.Contains(key, "/log/") {
		o.by = nil
		by()
	}
	return o.Driver.Put(ctx, key, data, c, tag)
}

const gpu = `apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: NAME
  labels:
    kops.k8s.io/cluster: demo.example.com
spec:
  role: Node
  subnets: [main]
`

// TestEveryWriterSaysWhatItMet: Grace commits between what a writer read and
// what it writes. The writer's change is made on top of hers, and it says so.
func TestEveryWriterSaysWhatItMet(t *testing.T) {
	group := func(name string) []byte { return []byte(strings.Replace(gpu, "NAME", name, 1)) }
	for name, write := range map[string]func(ctx context.Context, s *Store) (*Outcome, error){
		"edit": func(ctx context.Context, s *Store) (*Outcome, error) {
			return s.Edit(ctx, demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{})
		},
		"edit in an editor": func(ctx context.Context, s *Store) (*Outcome, error) {
			given, err := s.Document(ctx, demo, "")
			if err != nil {
				return nil, err
			}
			edited := append([]byte("# mine\n"), given.Bytes...)
			return s.Edit(ctx, demo, Edit{Given: given.Bytes, Since: given.Commit, Edited: edited}, Write{})
		},
		"create cluster": func(ctx context.Context, s *Store) (*Outcome, error) {
			opt := cluster.CreateOptions{Name: demo, KubernetesVersion: "1.37.3"}
			return s.Create(ctx, Create{CreateOptions: opt, Given: []string{"kubernetes-version"}}, Write{})
		},
		"create -f": func(ctx context.Context, s *Store) (*Outcome, error) {
			return only(s.CreateFrom(ctx, "f", group("gpu"), Write{}))
		},
		"replace -f": func(ctx context.Context, s *Store) (*Outcome, error) {
			return only(s.ReplaceFrom(ctx, Replace{File: "f", Text: group("nodes-main")}, Write{}))
		},
		"create instancegroup": func(ctx context.Context, s *Store) (*Outcome, error) {
			return s.CreateGroup(ctx, demo, NewGroup{GroupOptions: cluster.GroupOptions{Name: "gpu"}}, Write{})
		},
		"delete instancegroup": func(ctx context.Context, s *Store) (*Outcome, error) {
			return s.DeleteGroup(ctx, demo, "spare", Write{})
		},
		"update cluster": func(ctx context.Context, s *Store) (*Outcome, error) {
			u, err := s.Update(ctx, demo, Programs{Catalogue: made()}, Write{})
			if err != nil {
				return nil, err
			}
			return &Outcome{Commit: u.Commit}, nil
		},
		"adopt": func(ctx context.Context, s *Store) (*Outcome, error) {
			text := append([]byte("# by another tool\n"), group("spare")...)
			if _, err := s.store.FS().Put(ctx, string(demo)+"/"+cluster.GroupFile("spare"), text, vfs.Cond{}, ""); err != nil {
				return nil, err
			}
			return s.Adopt(ctx, demo, nil, Write{})
		},
		"rollback": func(ctx context.Context, s *Store) (*Outcome, error) {
			return s.Rollback(ctx, demo, Rollback{To: "1"}, Write{})
		},
		"delete cluster": func(ctx context.Context, s *Store) (*Outcome, error) {
			return s.Delete(ctx, demo, Write{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			driver := &overtaken{Driver: mem.New(mem.Options{})}
			f := vfs.New(driver, "mem://test")
			var met []store.Notice
			s, err := Open(t.Context(), f, Options{Author: "Ada <ada@example.com>", Notice: func(n store.Notice) { met = append(met, n) }})
			if err != nil {
				t.Fatal(err)
			}
			create(t, s)
			if _, err := s.CreateFrom(t.Context(), "f", group("spare"), Write{}); err != nil {
				t.Fatal(err)
			}
			driver.by = func() {
				grace, err := Open(t.Context(), f, Options{Author: "Grace <grace@example.com>"})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := grace.Edit(t.Context(), demo, Edit{Patch: set(t, "spec.cloudLabels.grace=was-here")}, Write{Message: "a label"}); err != nil {
					t.Fatal(err)
				}
			}
			met = nil
			out, err := write(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if out.Commit != 4 || driver.by != nil {
				t.Errorf("commit %d, and Grace's is 3", out.Commit)
			}
			saw := len(out.Rebased) == 1 && out.Rebased[0].Message == "a label"
			for _, n := range met {
				saw = saw || n.Kind == store.Rebased && n.Number == 3 && n.Author == "Grace <grace@example.com>" && n.Message == "a label"
			}
			if !saw {
				t.Errorf("nothing says that Grace was first: %+v, %+v", out.Rebased, met)
			}
		})
	}
}

func only(all []*Outcome, err error) (*Outcome, error) {
	if err != nil || len(all) != 1 {
		return nil, err
	}
	return all[0], nil
}
