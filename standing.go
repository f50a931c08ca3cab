package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// Standing is where a cluster stands: what is committed, what is released of
// it, and what its hosts say of themselves. Of AsOf, it is where the cluster
// stood, as far as commits tell: hosts say only how they are now.
type Standing struct {
	Cluster     cluster.Name
	Commit      *store.Commit // the newest, or that of AsOf
	ClusterID   string        // id of its history; empty before the first commit
	Head        int
	Release     *bundle.Release // nil: nothing is released yet
	Uncommitted []store.Drift   // files that somebody else changed
	Hosts       []Host          // by name
	Absent      []string        // released groups that need a host and have none, by name
}

// Host is a host as it last reported, held against the release.
type Host struct {
	*bundle.Report
	State   HostState
	Trouble string // what is wrong, in one line; empty where nothing is

	spoke HostState // what a silent one said last
}

// HostState is how far a host is with what is released.
type HostState string

// How far a host can be.
const (
	Converged  HostState = "converged"  // runs what is released, and it is ready
	Converging HostState = "converging" // on its way
	Failed     HostState = "failed"     // what is released does not work there
	Degraded   HostState = "degraded"   // runs what is released, which stopped being ready
	Stopped    HostState = "stopped"    // nothing of it runs
	Silent     HostState = "silent"     // has not reported for so long that nobody knows
)

// Standing reads where a cluster stands.
func (s *Store) Standing(ctx context.Context, name cluster.Name) (*Standing, error) {
	h := s.store.Cluster(string(name))
	head, err := s.headOf(ctx, name, documents...)
	if err != nil {
		return nil, err
	}
	st := &Standing{Cluster: name, Commit: head.Commit(), ClusterID: head.LineageID(), Head: head.Commit().Number}
	if s.at != "" {
		st.Release, err = released(ctx, head)
		return st, err
	}
	var reports []report
	g, all := errgroup.WithContext(ctx)
	g.Go(func() (err error) { st.Release, err = released(all, head); return err })
	g.Go(func() (err error) { reports, err = s.reports(all, name); return err })
	g.Go(func() (err error) {
		if st.Uncommitted, err = h.Drift(all); errors.Is(err, errors.ErrUnsupported) { // no lists there
			return nil
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, r := range reports {
		h := st.judge(r.node, r.text)
		h.listen(s.opt.Now(), r.put)
		st.Hosts = append(st.Hosts, h)
	}
	if st.Release == nil {
		return st, nil
	}
	return st, st.findAbsent(ctx, head)
}

// released reads the release that a snapshot carries; nil: there is none yet.
func released(ctx context.Context, sn *store.Snapshot) (*bundle.Release, error) {
	b, err := sn.ReadFile(ctx, releaseName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := bundle.DecodeRelease(b)
	if err != nil {
		return nil, fmt.Errorf("release of %s: %w", sn.Cluster(), err)
	}
	return r, nil
}

// report is what a host says of itself, as it lies in the store. It is
// untrusted: one that cannot be read is a host with trouble, and stops nothing.
type report struct {
	node string
	text []byte
	put  time.Time // when, by the store's clock
	gone bool      // removed since it was listed
}

// reportsAtOnce is how many are read at the same time.
const reportsAtOnce = 64

// reports reads what the hosts report, in the order of their names.
func (s *Store) reports(ctx context.Context, name cluster.Name) ([]report, error) {
	sub := s.store.Cluster(string(name)).Sub()
	var all []report
	for e, err := range sub.List(ctx, bundle.ReportsDir, "") {
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, &UnseenError{
				"what the hosts of " + string(name) + " report", err,
				"stateroom log and stateroom get work here; status works on the bucket or directory itself, by its own address",
			}
		}
		if err != nil {
			return nil, err
		}
		if node, ok := strings.CutSuffix(strings.TrimPrefix(e.Key, bundle.ReportsDir), ".json"); ok {
			all = append(all, report{node: node})
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(reportsAtOnce)
	for i, r := range all {
		g.Go(func() (err error) {
			var e vfs.Entry
			all[i].text, e, err = sub.Get(ctx, bundle.ReportsDir+r.node+".json")
			all[i].put = e.Time
			if all[i].gone = errors.Is(err, fs.ErrNotExist); all[i].gone {
				return nil
			}
			return err
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(all, func(r report) bool { return r.gone }), err
}

// UnseenError says what cannot be seen in a store that cannot be listed.
type UnseenError struct {
	What string
	Err  error
	hint string
}

func (e *UnseenError) Error() string { return e.What + " cannot be seen: " + e.Err.Error() }

func (e *UnseenError) Unwrap() error { return e.Err }

// Hint says what works all the same.
func (e *UnseenError) Hint() string { return e.hint }

// judge holds one host's report against the release.
func (st *Standing) judge(node string, report []byte) Host {
	r, err := bundle.DecodeReport(report)
	if err == nil && r.Node != node {
		err = fmt.Errorf("it names the node %q", r.Node)
	}
	if err != nil {
		return Host{Report: &bundle.Report{Node: node}, State: Failed, Trouble: "its report cannot be believed: " + err.Error()}
	}
	h := Host{Report: r, State: Converging}
	if st.Release == nil {
		return h
	}
	want, known := st.Release.Groups[r.Group]
	failed := r.Failed != nil && r.Failed.Digest == want
	switch {
	case !known:
		h.State, h.Trouble = Failed, fmt.Sprintf("its group %q is not in the release", r.Group)
	case r.Digest == want && r.Phase == bundle.PhaseDegraded:
		h.State, h.Trouble = Degraded, "it was ready and no longer is"
		if r.Failed != nil {
			h.Trouble = failureLine(r.Failed)
		}
	case failed:
		h.State, h.Trouble = Failed, failureLine(r.Failed)
	case r.Digest == want && (r.Phase == bundle.PhaseReady || r.Phase == bundle.PhaseConfirmed):
		h.State = Converged
	}
	return h
}

// silence is after how long without a report nobody knows how a host is. One
// that the store does not take is made again, so that it is not for a single one.
const silence = 3 * bundle.ReportEvery

// listen takes what a host said long ago for no answer. Its own clock may be
// wrong by any time, so that of the store counts, where it has one.
func (h *Host) listen(now, put time.Time) {
	if put.IsZero() {
		put = h.Time
	}
	if now.Sub(put) <= silence || h.State != Converged && h.State != Converging {
		return
	}
	h.spoke, h.State = h.State, Silent
	h.Trouble = "no report since " + put.UTC().Format(time.DateTime)
}

func failureLine(f *bundle.Failure) string {
	if f.Service == "" {
		return f.Reason
	}
	return f.Service + ": " + f.Reason
}

// findAbsent lists the released groups that by their minSize need a host and
// have none that reports.
func (st *Standing) findAbsent(ctx context.Context, head *store.Snapshot) error {
	files, err := head.FS(ctx, documents...)
	if err != nil {
		return err
	}
	c, err := cluster.Load(files, st.Cluster)
	if err != nil {
		return err
	}
	for _, g := range c.Groups {
		_, live := st.Release.Groups[g.Name]
		has := slices.ContainsFunc(st.Hosts, func(h Host) bool { return h.Group == g.Name })
		if live && !has && g.Spec.MinSize != nil && *g.Spec.MinSize > 0 {
			st.Absent = append(st.Absent, g.Name)
		}
	}
	slices.Sort(st.Absent)
	return nil
}

// Behind is how many commits are not live.
func (st *Standing) Behind() int {
	if st.Release == nil {
		return st.Head
	}
	return st.Head - st.Release.Commit
}

// Err is nil where all hosts run what is released and are ready, else a
// *NotConvergedError.
func (st *Standing) Err() error {
	ok := st.Release != nil && len(st.Absent) == 0
	for _, h := range st.Hosts {
		ok = ok && h.State == Converged
	}
	if ok {
		return nil
	}
	return &NotConvergedError{Standing: st}
}

// NotConvergedError says that what is committed stands, but does not run.
type NotConvergedError struct{ Standing *Standing }

func (e *NotConvergedError) Error() string {
	st := e.Standing
	if st.Release == nil {
		return fmt.Sprintf("%s: nothing is released yet", st.Cluster)
	}
	var parts []string
	for _, h := range st.Hosts {
		switch {
		case h.Trouble != "":
			parts = append(parts, fmt.Sprintf("%s: %s", h.Node, h.Trouble))
		case h.State != Converged:
			parts = append(parts, fmt.Sprintf("%s: %s", h.Node, h.State))
		}
	}
	for _, g := range st.Absent {
		parts = append(parts, fmt.Sprintf("no host of group %s reports", g))
	}
	return fmt.Sprintf("%s: commit %d does not run everywhere: %s", st.Cluster, st.Release.Commit, strings.Join(parts, "; "))
}

// Hint says how to get on.
func (e *NotConvergedError) Hint() string {
	st := e.Standing
	switch {
	case st.Release == nil:
		return fmt.Sprintf("stateroom update cluster %s --yes", st.Cluster)
	case st.any(Stopped):
		return fmt.Sprintf("stateroom up %s starts it", st.Cluster)
	case st.any(Failed):
		return fmt.Sprintf("edit the cluster, or stateroom rollback %s --to %s, then stateroom update cluster %[1]s --yes", st.Cluster, st.lastGood())
	case st.any(Silent):
		return "see there whether it runs and reaches the store: stateroom-agent status; hosts report hourly, and stateroom store gc forgets those that are gone"
	case len(st.Hosts) == 0:
		return fmt.Sprintf("stateroom up %s makes this machine its host", st.Cluster)
	}
	return fmt.Sprintf("stateroom validate cluster %s --wait waits until they do", st.Cluster)
}

// lastGood is the commit that failed hosts went back to, for a person; "N" where
// that is not one.
func (st *Standing) lastGood() string {
	good := 0
	for _, h := range st.Hosts {
		switch {
		case h.State != Failed:
		case h.Commit == 0 || h.Commit == st.Release.Commit || good > 0 && h.Commit != good:
			return "N"
		default:
			good = h.Commit
		}
	}
	if good == 0 {
		return "N"
	}
	return strconv.Itoa(good)
}

// Words are a failed component's own last words, for a person.
type Words struct {
	Node, Service, Text string
}

// LastWords lists what failing components said last.
func (st *Standing) LastWords() []Words {
	var all []Words
	for _, h := range st.Hosts {
		if h.Trouble != "" && h.Report.Failed != nil && h.Report.Failed.LastWords != "" {
			all = append(all, Words{Node: h.Node, Service: h.Report.Failed.Service, Text: h.Report.Failed.LastWords})
		}
	}
	return all
}

// See lets what runs on this machine, which is the host node, speak for itself:
// a report tells what was so when the agent wrote it.
func (st *Standing) See(node string, r *Running) {
	for i := range st.Hosts {
		h := &st.Hosts[i]
		if h.Node != node {
			continue
		}
		seen := *h.Report
		seen.Services = r.Services
		h.Report = &seen
		switch {
		case !r.Any():
			h.State, h.Trouble = Stopped, "nothing of it runs"
		case r.Agent == 0 && (h.Trouble == "" || h.State == Silent):
			h.Trouble = "stateroom-agent does not run"
		case h.State == Silent:
			h.State, h.Trouble = h.spoke, ""
		}
	}
}

// Wait says what to wait for, besides that hosts run what is released.
type Wait struct {
	Progress func(*Standing) // hears of each look; may be nil

	// A report that Node wrote before Since counts for nothing: its agent has
	// been started anew.
	Node  string
	Since time.Time
}

// How often the hosts' reports are looked at while waiting, and how long a host
// that failed may take to be back at what it ran before.
const (
	waitPoll = 500 * time.Millisecond
	waitBack = 30 * time.Second
)

// Wait returns when every host runs what is released; when one says that it
// cannot, as soon as that one has gone back, or else when ctx ends. The error
// is then a *NotConvergedError.
func (s *Store) Wait(ctx context.Context, name cluster.Name, w Wait) (*Standing, error) {
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	var last *Standing
	var failed time.Time
	for {
		st, err := s.Standing(ctx, name)
		if err != nil && (last == nil || ctx.Err() == nil) {
			return nil, err
		}
		if err != nil {
			return last, errors.Join(last.Err(), err)
		}
		last = st
		st.outdate(w.Node, w.Since)
		if w.Progress != nil {
			w.Progress(st)
		}
		if failed.IsZero() && st.any(Failed) {
			failed = time.Now()
		}
		switch err = st.Err(); {
		case err == nil, st.Release == nil:
			return st, err
		case !failed.IsZero() && (st.settled() || time.Since(failed) > waitBack):
			return st, err
		}
		select {
		case <-ctx.Done():
			return st, errors.Join(err, ctx.Err())
		case <-tick.C:
		}
	}
}

func (st *Standing) any(state HostState) bool {
	return slices.ContainsFunc(st.Hosts, func(h Host) bool { return h.State == state })
}

// outdate takes a report for nothing that was written before since.
func (st *Standing) outdate(node string, since time.Time) {
	for i, h := range st.Hosts {
		if h.Node == node && h.Time.Before(since.Truncate(time.Second)) {
			st.Hosts[i].State, st.Hosts[i].Trouble = Converging, ""
		}
	}
}

// settled reports whether every host that failed is done with going back, or
// has nothing to go back to.
func (st *Standing) settled() bool {
	for _, h := range st.Hosts {
		back := h.Digest != st.Release.Groups[h.Group]
		starting := slices.ContainsFunc(h.Services, func(s Process) bool { return s.State != "running" })
		if h.State == Failed && back && starting {
			return false
		}
	}
	return st.any(Failed)
}
