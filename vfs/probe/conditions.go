package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/stateroom/stateroom/vfs"
)

// What a broken condition means, and what helps, is the same for all of them.
const (
	lostCommits = "two people who commit at the same time overwrite each other, and both are told that all went well; Stateroom does not write here"
	otherPlace  = "use another service (docs/providers.md), or a newer version of this one, and check again"
	alone       = "use another service, or --single-writer if nobody else ever writes to the store"
)

var conditionChecks = []check{
	{"create-only", createTwice},
	{"create-only race", createRace},
	{"replace", replace},
	{"replace race", replaceRace},
	{"delete", deleteIf},
	{"create again", createAgain},
}

func createTwice(ctx context.Context, b *bench) (string, error) {
	if _, err := b.put(ctx, "k", "first", vfs.IfAbsent(), ""); err != nil {
		return "", b.lacks(err, &b.result.Create, "creating an object only if there is none is refused as not implemented")
	}
	for _, data := range []string{"second", "first"} {
		_, err := b.put(ctx, "k", data, vfs.IfAbsent(), "")
		switch {
		case err == nil:
			b.result.Create = Ignored
			return "", &flaw{Broken, "an object that was there was created again: the service accepts the condition and ignores it", lostCommits, otherPlace}
		case !errors.Is(err, vfs.ErrConflict):
			return "", fmt.Errorf("create what is there: %w", err)
		}
	}
	b.result.Create = Honoured
	_, err := b.holds(ctx, "k", "first")
	return "an object that is there is not created again", err
}

// lacks notes that a condition is missing, where that is what err says.
func (b *bench) lacks(err error, answer *Answer, saw string) error {
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	*answer = Absent
	return &flaw{Lacking, saw, "two people who commit at the same time could overwrite each other; Stateroom only reads here", alone}
}

func createRace(ctx context.Context, b *bench) (string, error) {
	if b.result.Create == Absent {
		return "left out: there is nothing to race for", nil
	}
	many, none := 0, 0
	for round := range b.opt.Rounds {
		key := fmt.Sprintf("k%d", round)
		won, err := b.race(ctx, key, round, vfs.IfAbsent())
		if err != nil {
			return "", err
		}
		if won > 1 {
			many++
		}
		if won == 0 {
			none++
		}
	}
	return b.raced("to create one object", many, none, &b.result.Create)
}

func replaceRace(ctx context.Context, b *bench) (string, error) {
	if b.result.Replace == Absent {
		return "left out: there is nothing to race for", nil
	}
	many, none := 0, 0
	for round := range b.opt.Rounds {
		key := fmt.Sprintf("k%d", round)
		e, err := b.put(ctx, key, "start", vfs.Cond{}, "")
		if err != nil {
			return "", err
		}
		won, err := b.race(ctx, key, round, vfs.IfVersion(e.Version))
		if err != nil {
			return "", err
		}
		if won > 1 {
			many++
		}
		if won == 0 {
			none++
		}
	}
	return b.raced("to replace one version of an object", many, none, &b.result.Replace)
}

// raced tells how the races went.
func (b *bench) raced(what string, many, none int, answer *Answer) (string, error) {
	if many > 0 {
		*answer = Ignored
		return "", &flaw{Broken, fmt.Sprintf("of %d writers at a time %s, more than one was told that it won, in %d of %d rounds", b.opt.Writers, what, many, b.opt.Rounds), lostCommits, otherPlace}
	}
	if none > 0 {
		return "", &flaw{Weak, fmt.Sprintf("of %d writers at a time %s, none was told that it won, in %d of %d rounds", b.opt.Writers, what, none, b.opt.Rounds),
			"commits made at the same time are tried again more often than elsewhere", "nothing; with many writers at a time, expect to wait"}
	}
	return fmt.Sprintf("of %d writers at a time %s, one won, in each of %d rounds", b.opt.Writers, what, b.opt.Rounds), nil
}

// race lets many writers put under one condition, and returns how many won.
func (b *bench) race(ctx context.Context, key string, round int, c vfs.Cond) (won int, err error) {
	errs := make([]error, b.opt.Writers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-start
			_, errs[i] = b.put(ctx, key, fmt.Sprintf("round %d, writer %d", round, i), c, "")
		})
	}
	close(start)
	wg.Wait()
	for _, e := range errs {
		switch {
		case e == nil:
			won++
		case !errors.Is(e, vfs.ErrConflict):
			err = fmt.Errorf("one of %d writers at a time: %w", b.opt.Writers, e)
		}
	}
	return won, err
}

func replace(ctx context.Context, b *bench) (string, error) {
	one, err := b.put(ctx, "k", "one", vfs.Cond{}, "")
	if err != nil {
		return "", err
	}
	if _, err := b.put(ctx, "k", "two", vfs.IfVersion(one.Version), ""); err != nil {
		return "", b.lacks(err, &b.result.Replace, "replacing an object only at a version is refused as not implemented")
	}
	_, err = b.put(ctx, "k", "three", vfs.IfVersion(one.Version), "")
	switch {
	case err == nil:
		b.result.Replace = Ignored
		return "", &flaw{Broken, "an object was replaced though it was no longer at the version asked for: the service accepts the condition and ignores it", lostCommits, otherPlace}
	case !errors.Is(err, vfs.ErrConflict):
		return "", fmt.Errorf("replace at a version that is gone: %w", err)
	}
	b.result.Replace = Honoured
	_, err = b.put(ctx, "absent", "four", vfs.IfVersion(one.Version), "")
	switch {
	case err == nil:
		return "", &flaw{Broken, "an object that is not there was replaced: the service ignores a condition where there is nothing to hold it against",
			"a file that another tool deletes at the wrong moment comes back", otherPlace}
	case !errors.Is(err, vfs.ErrConflict):
		return "", fmt.Errorf("replace what is absent: %w", err)
	}
	_, err = b.holds(ctx, "k", "two")
	return "an object is replaced at its version, not at another, and not where it is absent", err
}

func deleteIf(ctx context.Context, b *bench) (string, error) {
	one, err := b.put(ctx, "k", "one", vfs.Cond{}, "")
	if err != nil {
		return "", err
	}
	two, err := b.put(ctx, "k", "two", vfs.Cond{}, "")
	if err != nil {
		return "", err
	}
	const means = "when Stateroom deletes a file, it looks at it first; a write of another tool within that one round trip is lost"
	const do = "nothing for Stateroom's own writers, whose commits are safe; keep other tools from writing while files are deleted, or enable versioning"
	err = b.root.BareDelete(ctx, b.dir+"k", one.Version)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		b.result.Delete = Absent
		return "", &flaw{Weak, "deleting an object only at a version is refused as not implemented", means, do}
	case err == nil:
		b.result.Delete = Ignored
		return "", &flaw{Weak, "an object was deleted though it was no longer at the version asked for: the service accepts the condition on DELETE and ignores it", means, do}
	case !errors.Is(err, vfs.ErrConflict):
		return "", fmt.Errorf("delete at a version that is gone: %w", err)
	}
	b.result.Delete = Honoured
	if err := b.root.Delete(ctx, b.dir+"k", vfs.IfVersion(two.Version)); err != nil {
		return "", fmt.Errorf("delete at its version: %w", err)
	}
	return "an object is deleted at its version, and not at another", b.absent(ctx, "k", "delete")
}

// absent returns an error unless there is no object.
func (b *bench) absent(ctx context.Context, key, after string) error {
	_, _, err := b.get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read after %s: %w", after, err)
	}
	return &flaw{Broken, "a read after a " + after + " still gave the object", "deleted clusters come back to life", otherPlace}
}

func createAgain(ctx context.Context, b *bench) (string, error) {
	if b.result.Create == Absent {
		return "left out: there is no create-only", nil
	}
	if _, err := b.put(ctx, "k", "one", vfs.Cond{}, ""); err != nil {
		return "", err
	}
	if err := b.root.Delete(ctx, b.dir+"k", vfs.Cond{}); err != nil {
		return "", err
	}
	_, err := b.put(ctx, "k", "two", vfs.IfAbsent(), "")
	if errors.Is(err, vfs.ErrConflict) {
		return "", &flaw{Weak, "an object that was deleted cannot be created again: the service takes its delete marker for it",
			"a file that was deleted and comes back is reported as another tool's", "turn versioning off for this bucket, or use a newer version of the service"}
	}
	return "what was deleted can be created again", err
}
