package cli

import (
	"strings"

	"github.com/stateroom/stateroom/internal/cache"
	"github.com/stateroom/stateroom/store"
)

// maxCached is how many bytes are kept in the cache directory.
const maxCached = 64 << 20

// cache is where what never changes in a store is kept between commands: nowhere
// for stores on this machine's disk, or where the user says so by --no-cache or
// STATEROOM_NO_CACHE.
func (env *Env) cache(url string) *store.Cache {
	scheme, _, remote := strings.Cut(url, "://")
	if !remote || scheme == "file" || scheme == "mem" || env.noCache || env.Getenv("STATEROOM_NO_CACHE") != "" {
		return nil
	}
	dir, err := env.cacheDir("store")
	if err != nil {
		return nil
	}
	c := cache.New(dir, maxCached)
	return &store.Cache{Get: c.Get, Put: c.Put, Drop: c.Drop}
}
