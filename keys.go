package stateroom

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/pki"
	"github.com/stateroom/stateroom/plan"
)

// keyMaker makes the keysets that a cluster lacks. It makes each once, however
// often a change runs: making them is slow, and only what is committed counts.
type keyMaker struct {
	now  time.Time
	rand io.Reader
	made map[string][]byte // by keyset
}

// fill writes the missing keysets of a cluster into a change, and names them.
// A nil keyMaker only names them.
func (k *keyMaker) fill(ctx context.Context, r *recorder, c *cluster.Cluster) ([]string, error) {
	var missing []string
	for _, name := range plan.Keysets(c) {
		file := keysetDir + name + keysetFile
		if r.exists(file) {
			continue
		}
		missing = append(missing, name)
		if k == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := k.make(name)
		if err != nil {
			return nil, fmt.Errorf("make keyset %s: %w", name, err)
		}
		r.WriteFile(file, b)
	}
	return missing, nil
}

func (k *keyMaker) make(name string) ([]byte, error) {
	if b, ok := k.made[name]; ok {
		return b, nil
	}
	ks, err := pki.NewCA(name, k.now, k.rand, pki.RSA2048)
	if err != nil {
		return nil, err
	}
	k.made[name] = ks.Encode()
	return k.made[name], nil
}
