package store_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/store/storetest"
	"github.com/stateroom/stateroom/vfs/file"
	"github.com/stateroom/stateroom/vfs/mem"
)

var (
	seed  = flag.Uint64("seed", 0, "play the random history of this seed alone")
	seeds = flag.Int("seeds", 210, "how many random histories to play")
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(800) // thousands of small stores that live for milliseconds
	os.Exit(m.Run())
}

// lostOnce are seeds of histories in which a delete by another tool was lost.
// What clients do at once they do in no fixed order, so that a seed does not
// always tell the same story: deleted_test.go tells each of them for certain.
var lostOnce = []uint64{859084206, 859100754, 859087862, 859100444, 30898090}

// playSeeds are those, and new ones on every day of the world, so that many
// machines see many histories; the log says which.
func playSeeds(n int) []uint64 {
	if *seed != 0 {
		return []uint64{*seed}
	}
	list := slices.Clone(lostOnce)
	first := uint64(time.Now().UnixNano()/1000) % 1_000_000_000
	for i := range n {
		list = append(list, first+uint64(i))
	}
	return list
}

// TestRandomHistoriesOfThreeWritersAndAnotherTool plays histories and checks
// them at their end. `-seed N` plays one of them again.
func TestRandomHistoriesOfThreeWritersAndAnotherTool(t *testing.T) {
	services := []mem.Options{{}, {UniqueVersions: true}, {UniqueVersions: true, NoTags: true}}
	list := playSeeds(*seeds)
	t.Logf("seeds up to %d", list[len(list)-1])
	for group := range 3 {
		t.Run(fmt.Sprintf("group=%d", group), func(t *testing.T) {
			t.Parallel()
			for i, n := range list {
				if i%3 != group && len(list) > 1 {
					continue
				}
				m := services[n%3]
				var err error
				synctest.Test(t, func(t *testing.T) {
					p := storetest.Play{Seed: n, Writers: 3, Changes: 6, Foreign: 8, Unit: 100 * time.Millisecond, Settle: store.DefaultSettle}
					if n%5 == 0 {
						p.Settle = store.Settle{} // in a hurry, so that clients do each other's work
					}
					err = p.Run(context.WithoutCancel(t.Context()), mem.New(m))
				})
				if err != nil {
					t.Errorf("-seed %d: %v", n, err)
				}
			}
		})
	}
}

func TestRandomHistoriesInADirectory(t *testing.T) {
	for _, n := range playSeeds(max(*seeds/25, 1)) {
		d, err := file.Open(t.TempDir(), file.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := storetest.Play{Seed: n, Writers: 3, Changes: 4, Foreign: 6, Unit: time.Millisecond, Settle: store.Settle{}}
		if err := p.Run(t.Context(), d); err != nil {
			t.Errorf("-seed %d: %v", n, err)
		}
	}
}
