package cli

import (
	"strings"

	"github.com/stateroom/stateroom/internal/reccache"
	"github.com/stateroom/stateroom/store"
)

// maxRecords is how many bytes of log records are kept in the cache directory.
const maxRecords = 64 << 20

// records is where the records of a store are kept between commands: nowhere
// for stores on this machine's disk, or where the user says so by --no-cache or
// STATEROOM_NO_CACHE.
func (env *Env) records(url string) *store.Records {
	scheme, _, remote := strings.Cut(url, "://")
	if !remote || scheme == "file" || scheme == "mem" || env.noCache || env.Getenv("STATEROOM_NO_CACHE") != "" {
		return nil
	}
	dir, err := env.cacheDir("records")
	if err != nil {
		return nil
	}
	c := reccache.New(dir, maxRecords)
	return &store.Records{Get: c.Get, Put: c.Put, Drop: c.Drop}
}
