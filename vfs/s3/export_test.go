package s3

import (
	"time"

	"github.com/stateroom/stateroom/internal/retry"
)

// Patient makes d try at most so often, with short pauses.
func Patient(d *Driver, tries int) *Driver {
	d.retry = retry.Policy{Tries: tries, First: 5 * time.Millisecond}
	return d
}
