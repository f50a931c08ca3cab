package stores_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stateroom/stateroom/vfs/vfstest"
)

// deviations are the rules of the contract that a server is known to break,
// with the reason. One that is kept after all fails the test: the table is to
// be true.
var deviations = map[string]map[string]string{
	"S3 gofakes3": {
		"a tag comes back with the object": "metadata of the object before is carried over into one that is written without any",
	},
	"GCS": {
		"delete if-version: the right version deletes, another does not": "fake-gcs-server ignores ifGenerationMatch on DELETE; Google honours it",
	},
}

// TestAllPlacesKeepOneContract runs the conformance suite on every kind of
// place, and prints what came of it as one table.
func TestAllPlacesKeepOneContract(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	rows := map[string]string{}
	t.Run("places", func(t *testing.T) {
		for _, p := range places {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				driver := p.start(t).open
				begin := time.Now()
				traits := open(t, driver)
				broken := brokenRules(t, vfstest.Test(t.Context(), driver, vfstest.Options{}))
				took := time.Since(begin).Round(10 * time.Millisecond)
				row := fmt.Sprintf("%-13s %6s  ", p.name, took)
				row += fmt.Sprintf("%+v", traitsOf(traits))
				for _, rule := range broken {
					reason, known := deviations[p.name][rule.Rule]
					if !known {
						t.Error(rule)
						reason = "NOT KNOWN"
					}
					if line := fmt.Sprintf("\n    deviates: %s: %s", rule.Rule, reason); !strings.Contains(row, line) {
						row += line
					}
				}
				for rule := range deviations[p.name] {
					if !slices.ContainsFunc(broken, func(b *vfstest.Broken) bool { return b.Rule == rule }) {
						t.Errorf("it keeps the rule now: %s", rule)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				rows[p.name] = row
			})
		}
	})
	var table strings.Builder
	for _, p := range places {
		table.WriteString(rows[p.name] + "\n")
	}
	t.Logf("the contract of drivers, place by place:\n%s", table.String())
}

// brokenRules takes apart what the suite found. What is no finding fails.
func brokenRules(t *testing.T, err error) (broken []*vfstest.Broken) {
	t.Helper()
	if err == nil {
		return nil
	}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		var b *vfstest.Broken
		if _, again := err.(interface{ Unwrap() []error }); again {
			broken = append(broken, brokenRules(t, err)...)
		} else if errors.As(err, &b) {
			broken = append(broken, b)
		} else {
			t.Error(err)
		}
	}
	return broken
}
