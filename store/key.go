package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/stateroom/stateroom/vfs"
)

const keyBytes = 32

var errKey = fmt.Errorf("is not a key: %w", fs.ErrInvalid)

func keyName(epoch int) string { return "keys/manifest/" + strconv.Itoa(epoch) }

// key returns the key of an epoch, or nil if it is not there.
func (h *History) key(ctx context.Context, epoch int) ([]byte, error) {
	if key := h.known.key(epoch); key != nil {
		return key, nil
	}
	defer h.known.turn(ctx, keyName(epoch))()
	if key := h.known.key(epoch); key != nil {
		return key, nil
	}
	b, _, err := h.own.Get(ctx, keyName(epoch))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(b[:max(len(b)-1, 0)]))
	if err != nil || len(key) != keyBytes || b[len(b)-1] != '\n' {
		return nil, fmt.Errorf("%s %w", keyName(epoch), errKey)
	}
	h.known.setKey(epoch, key)
	return key, nil
}

// digester makes the digests of one transaction. A key that is not there yet
// is made in memory, and put before the first record that needs it.
type digester struct {
	h     *History
	epoch int
	key   []byte
	fresh bool
}

func (d *digester) digest(ctx context.Context, files map[string]File, name string, b []byte) (Digest, error) {
	if !d.h.s.opt.Keyed(name) {
		return digestOf(b), nil
	}
	if d.key == nil {
		if err := d.find(ctx, files); err != nil {
			return "", err
		}
	}
	return digestKeyed(d.epoch, d.key, name, b), nil
}

func (d *digester) find(ctx context.Context, files map[string]File) error {
	epoch := 0
	for _, f := range files {
		epoch = max(epoch, f.Digest.epoch())
	}
	var key []byte
	var err error
	if epoch > 0 {
		key, err = d.h.key(ctx, epoch)
	} else {
		key = d.h.known.key(1) // most likely there is none; put finds out
	}
	if err != nil {
		return err
	}
	if key == nil && epoch > 0 {
		epoch++ // what the lost key stands for cannot be checked with another
		if key, err = d.h.key(ctx, epoch); err != nil {
			return err
		}
	}
	d.epoch, d.key = max(epoch, 1), key
	if key == nil {
		d.key, d.fresh = make([]byte, keyBytes), true
		rand.Read(d.key) //nolint:errcheck // never fails
	}
	return nil
}

// put writes a fresh key. If somebody else made one meanwhile, the attempt
// begins again with that.
func (d *digester) put(ctx context.Context) error {
	if !d.fresh {
		return nil
	}
	text := hex.EncodeToString(d.key) + "\n"
	_, err := d.h.own.Put(ctx, keyName(d.epoch), []byte(text), vfs.IfAbsent(), "")
	if errors.Is(err, vfs.ErrNotDurable) {
		return err // a record would outlive its key
	}
	if err != nil {
		there, err2 := d.h.key(ctx, d.epoch)
		if err2 != nil || there == nil {
			return err
		}
		if string(there) != string(d.key) {
			return errAgain
		}
	}
	d.h.known.setKey(d.epoch, d.key)
	d.fresh = false
	return nil
}
