package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/internal/retry"
)

var errBusy = errors.New("busy")

func TestTriesAgainUntilItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []int
		err := retry.Policy{}.Do(t.Context(), func(n int) error {
			if seen = append(seen, n); n < 3 {
				return retry.Again(errBusy)
			}
			return nil
		})
		if err != nil || len(seen) != 4 || seen[3] != 3 {
			t.Errorf("%v after tries %v", err, seen)
		}
	})
}

func TestGivesUpWithTheLastError(t *testing.T) {
	errFinal := errors.New("no such thing")
	for name, c := range map[string]struct {
		policy retry.Policy
		err    error // of every try
		want   error
		tries  int
	}{
		"what is final is not tried again": {retry.Policy{}, errFinal, errFinal, 1},
		"tries are used up":                {retry.Policy{Tries: 3}, retry.Again(errBusy), errBusy, 3},
		"the service asks for too long":    {retry.Policy{Total: time.Minute}, retry.After(2*time.Minute, errBusy), errBusy, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				err := c.policy.Do(t.Context(), func(int) error { n++; return c.err })
				if err != c.want || n != c.tries { //nolint:errorlint // the very error, not a wrapped one
					t.Errorf("%v after %d tries, want %v after %d", err, n, c.want, c.tries)
				}
			})
		})
	}
}

func TestPausesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := retry.Policy{Tries: 100, First: time.Second, Most: 4 * time.Second, Total: time.Hour}
		var last time.Time
		longest := make([]time.Duration, 100)
		for range 200 {
			policy.Do(t.Context(), func(n int) error { //nolint:errcheck // it never works
				if n > 0 {
					longest[n] = max(longest[n], time.Since(last))
				}
				last = time.Now()
				return retry.Again(errBusy)
			})
		}
		for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 99: 4 * time.Second} {
			if longest[n] > want || longest[n] < want*8/10 {
				t.Errorf("the longest of 200 pauses before try %d is %v, want nearly %v", n, longest[n], want)
			}
		}
	})
}

func TestTotalEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		retry.Policy{Tries: 1000}.Do(t.Context(), func(int) error { //nolint:errcheck // it never works
			time.Sleep(time.Second)
			return retry.Again(errBusy)
		})
		if took := time.Since(begin); took < 50*time.Second || took > 62*time.Second {
			t.Errorf("gave up after %v, want about a minute", took)
		}
	})
}

func TestCancelEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		err := retry.Policy{Total: time.Hour}.Do(ctx, func(int) error { return retry.After(10*time.Minute, errBusy) })
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBusy) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// Whoever waits for a service that refuses reads the refusal, whether time ends
// during a pause or during a try.
func TestCancelDuringATryTellsWhatWasBefore(t *testing.T) {
	for tries, want := range map[int]error{1: nil, 2: errBusy} {
		ctx, cancel := context.WithCancel(t.Context())
		err := retry.Policy{First: 1}.Do(ctx, func(n int) error {
			if n+1 < tries {
				return retry.Again(errBusy)
			}
			cancel()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, errBusy) != (want != nil) {
			t.Errorf("cancelled in try %d: %v", tries, err)
		}
	}
}
