package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/store"
)

// TestRebasedIsSaidOnce, whether the store met the other's commit or the merge
// of an edit did, or both.
func TestRebasedIsSaidOnce(t *testing.T) {
	grace := &store.Commit{Number: 42, Author: "Grace <grace@example.com>", Message: "edit cluster a.example.com\n\nbecause"}
	const want = "stateroom: rebased onto 42 by Grace: edit cluster a.example.com\n"
	for name, say := range map[string]struct{ notice, outcome bool }{"store": {true, false}, "merge": {false, true}, "both": {true, true}} {
		var said bytes.Buffer
		env := quiet()
		env.Stderr = &said
		if say.notice {
			env.notice(store.Notice{Kind: store.Rebased, Number: grace.Number, Author: grace.Author, Message: grace.Message})
		}
		out := &stateroom.Outcome{Cluster: "a.example.com", Commit: 43}
		if say.outcome {
			out.Rebased = []*store.Commit{grace}
		}
		if err := env.showOutcome(out); err != nil {
			t.Fatal(err)
		}
		if said.String() != want {
			t.Errorf("%s: %s", name, strings.TrimSpace(said.String()))
		}
	}
}
