package stateroom

import (
	"context"
	"fmt"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/plan"
)

// completedSpec is what kops writes when it makes a cluster in a cloud what its
// documents say.
const completedSpec = "cluster-completed.spec"

// planCloud is the plan of a change of a cluster that kops makes live: what is to
// be committed, and nothing of what that does in the cloud, which is for kops to
// say.
func (s *Store) planCloud(ctx context.Context, r *recorder, c *cluster.Cluster) (*Update, error) {
	changes, err := r.changes(ctx)
	if err != nil {
		return nil, err
	}
	head := r.before().Commit()
	u := &Update{Cluster: c.Name, Cloud: c.Cloud(), Head: head.Number, Warnings: s.warnings(c), lineage: r.LineageID(), digest: head.Digest}
	for _, change := range changes {
		u.Changes = append(u.Changes, plannedFile(change))
	}
	u.Notes = []string{fmt.Sprintf("it runs in a cloud (%s): what this does there, kops says, once it is published: kops update cluster %s", u.Cloud, c.Name), "kops has not applied anything from this store yet: there is no " + completedSpec}
	if f, ok := head.Files[completedSpec]; ok {
		last, err := r.before().Earlier(ctx, f.Record)
		if err != nil {
			return nil, err
		}
		u.Notes[1] = fmt.Sprintf("kops wrote %s last with commit %d, %s; what was committed since, it may not have applied yet", completedSpec, f.Record, last.Commit().Time.Format(time.DateTime))
	}
	return u, nil
}

// plannedFile is a change of a file, as a plan has it.
func plannedFile(f FileChange) plan.Change {
	c := plan.Change{Kind: plan.KindFile, Name: f.Name, Effect: plan.None, Text: f.Diff}
	if isDocument(f.Name) {
		c.Kind = plan.KindDocument
	}
	if f.Secret {
		c.Text = plan.Secret
	}
	c.Action = map[Action]plan.Action{Added: plan.Add, Changed: plan.Modify, Removed: plan.Remove}[f.Action]
	c.Why = fmt.Sprintf("%s %s is %s", c.Kind, f.Name, f.Action)
	return c
}
