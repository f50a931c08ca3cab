package agent

import (
	"slices"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// mostMended is how many things that were put right are remembered.
const mostMended = 16

// mend remembers for the report what a host had to put right.
func (a *Agent) mend(found []Mend) {
	for _, f := range found {
		d := bundle.Drift{Kind: f.Kind, Name: f.Name, What: f.What, Count: 1, Last: time.Now()}
		if i := slices.IndexFunc(a.mended, func(b bundle.Drift) bool { return b.Kind == d.Kind && b.Name == d.Name }); i >= 0 {
			d.Count += a.mended[i].Count
			a.mended = slices.Delete(a.mended, i, i+1)
		}
		a.mended = slices.Insert(a.mended, 0, d)
		a.mended = a.mended[:min(len(a.mended), mostMended)]
	}
}

// drift is what was put right on the host, the newest first: files, and services
// that ended after they had been ready and run again.
func (a *Agent) drift() []bundle.Drift {
	all := slices.Clone(a.mended)
	for _, s := range a.now.Services {
		if _, ours := a.set.find(s.Name); ours && s.Crashes > 0 && s.PID != 0 && !s.Ready.IsZero() {
			all = append(all, bundle.Drift{Kind: bundle.DriftService, Name: s.Name, What: s.LastExit, Count: s.Crashes, Last: s.Exited})
		}
	}
	slices.SortStableFunc(all, func(x, y bundle.Drift) int { return y.Last.Compare(x.Last) })
	return all[:min(len(all), mostMended)]
}
