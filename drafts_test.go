package stateroom

import (
	"strings"
	"testing"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// TestTwoPublishADraft at the same time: the cluster has it once, and the one who
// comes second hears that it is done, and of no failure.
func TestTwoPublishADraft(t *testing.T) {
	ctx := t.Context()
	d := &overtaken{Driver: mem.New(mem.Options{})}
	open := func(author string) *Store {
		s, err := Open(ctx, vfs.New(d, "mem://test"), Options{Author: author})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ada, err := open("Ada <ada@example.com>").OnDraft("quota")
	if err != nil {
		t.Fatal(err)
	}
	grace, err := open("Grace <grace@example.com>").OnDraft("quota")
	if err != nil {
		t.Fatal(err)
	}
	create(t, open("Ada <ada@example.com>"))
	if _, err := ada.Edit(ctx, demo, Edit{Patch: set(t, "spec.channel=alpha")}, Write{}); err != nil {
		t.Fatal(err)
	}
	d.by = func() {
		if out, err := grace.Publish(ctx, demo, Publish{}, Write{}); err != nil || out.Commit != 2 {
			t.Errorf("the first: %+v, %v", out, err)
		}
	}
	out, err := ada.Publish(ctx, demo, Publish{}, Write{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Commit != 0 || out.Head != 2 || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "published by Grace") {
		t.Errorf("the second: %+v", out)
	}
}
