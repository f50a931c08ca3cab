package store

import (
	"context"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

// memory is what a client remembers of one cluster between requests. Records
// never change, so they are never asked for twice; the rest is a guess that
// saves a round trip.
type memory struct {
	mu      sync.Mutex
	last    int // the newest number seen
	release vfs.Version
	records map[int]*record
	size    int
	keys    map[int][]byte
	wanted  map[string]*wanted
}

// wanted is an object that is being asked for.
type wanted struct {
	turn chan struct{}
	by   int // so many
}

const maxRemembered = 64 << 20 // bytes of records

func newMemory() *memory {
	return &memory{records: map[int]*record{}, keys: map[int][]byte{}, wanted: map[string]*wanted{}}
}

func (m *memory) newest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

func (m *memory) record(n int) *record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[n]
}

func (m *memory) remember(r *record, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size += size; m.size > maxRemembered {
		m.records, m.size = map[int]*record{}, size
	}
	m.records[r.Number] = r
	m.last = max(m.last, r.Number)
}

// forgetRecord drops one that was stripped.
func (m *memory) forgetRecord(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, n)
}

// forget drops what turned out not to be so: the store was replaced.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records, m.size, m.last = map[int]*record{}, 0, 0
}

// turn lets one at a time ask for an object, so that it is asked for once. Who
// waits no longer than ctx goes ahead all the same. It returns what ends that.
func (m *memory) turn(ctx context.Context, object string) (done func()) {
	m.mu.Lock()
	w := m.wanted[object]
	if w == nil {
		w = &wanted{turn: make(chan struct{}, 1)}
		m.wanted[object] = w
	}
	w.by++
	m.mu.Unlock()
	mine := false
	select {
	case w.turn <- struct{}{}:
		mine = true
	case <-ctx.Done():
	}
	return func() {
		if mine {
			<-w.turn
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if w.by--; w.by == 0 {
			delete(m.wanted, object)
		}
	}
}

func (m *memory) key(epoch int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[epoch]
}

func (m *memory) setKey(epoch int, key []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[epoch] = key
}

func (m *memory) releaseAt() vfs.Version {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.release
}

func (m *memory) setReleaseAt(v vfs.Version) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.release = v
}
