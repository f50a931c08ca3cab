package s3_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stateroom/stateroom/test/servers"
	"github.com/stateroom/stateroom/vfs"
)

// A page may end within a folder, which some services name on the next page
// again: it is one folder.
func TestFoldersOverSeveralPages(t *testing.T) {
	t.Parallel()
	d := open(t, bucket(t, servers.GoFakeS3(t)))
	var wg sync.WaitGroup
	for first := range 20 {
		wg.Go(func() {
			for i := first; i < 1001; i += 20 {
				for _, name := range []string{"a", "b"} {
					put(t, d, fmt.Sprintf("c%04d/%s", i, name), "", vfs.Cond{})
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for e, err := range d.ListDir(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("c%04d/", n); e.Key != want {
			t.Fatalf("folder %d is %s, want %s", n, e.Key, want)
		}
		n++
	}
	if n != 1001 {
		t.Errorf("%d folders, want 1001", n)
	}
}
