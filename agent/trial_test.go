package agent

import (
	"testing"
	"time"
)

func TestATrialIsJudgedByWhatItsServicesDo(t *testing.T) {
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := &Set{Services: []Run{{Name: "etcd", Digest: "e"}, {Name: "api", Digest: "a2"}}}
	good := map[string]string{"etcd": "e", "api": "a1"}
	up := func(name, digest string) ServiceState {
		return ServiceState{Name: name, Digest: digest, State: Running, PID: 1, Since: t0, Ready: t0}
	}
	type change func(etcd, api *ServiceState)
	for _, c := range []struct {
		name   string
		before change // of what ran when it began
		then   change // 30 s later
		bad    string // why, 30 s later
		good   int    // seconds after which it is good; 0: not within two minutes
	}{
		{"all is well", nil, nil, "", 60},
		{"the new one ended once it was ready", nil, func(_, api *ServiceState) { api.Exits, api.Crashes, api.LastExit = 1, 1, "exit status 1" }, "ended after it had been ready: exit status 1", 0},
		{"an untouched one ended, and is back", nil, func(etcd, _ *ServiceState) { etcd.Exits, etcd.Crashes = 1, 1 }, "", 60},
		{"an untouched one is away for a while", nil, func(etcd, _ *ServiceState) { etcd.Exits, etcd.Crashes, etcd.Ready = 1, 1, time.Time{} }, "", 100},
		{"an untouched one ends again and again", nil, func(etcd, _ *ServiceState) { etcd.Exits, etcd.LastExit = 3, "killed" }, "ended 3 times: killed", 0},
		{"what it did before does not count", func(etcd, _ *ServiceState) { etcd.Exits, etcd.Crashes = 5, 5 }, func(etcd, _ *ServiceState) { etcd.Exits, etcd.Crashes = 6, 6 }, "", 60},
	} {
		etcd, old := up("etcd", "e"), up("api", "a1")
		if c.before != nil {
			c.before(&etcd, &old)
		}
		tr := begin(Trial{}.withDefaults(), t0, want, good, []ServiceState{etcd, old})
		api := up("api", "a2")
		goodAt, why := 0, ""
		for second := 0; second <= 120; second++ {
			e, a := etcd, api
			if c.then != nil && second >= 30 {
				c.then(&e, &a)
			}
			if second >= 40 && e.Ready.IsZero() {
				e.Ready = t0 // back again
			}
			bad, ok := tr.judge(t0.Add(time.Duration(second)*time.Second), want, survey([]ServiceState{e, a}, want))
			if bad != nil {
				why = bad.Reason
				break
			}
			if ok {
				goodAt = second
				break
			}
		}
		if why != c.bad || goodAt != c.good {
			t.Errorf("%s: bad %q, good after %d s; want %q, %d", c.name, why, goodAt, c.bad, c.good)
		}
	}
}
