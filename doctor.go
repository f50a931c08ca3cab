package stateroom

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/stateroom/stateroom/store"
	"github.com/stateroom/stateroom/vfs"
)

// A Verdict says whether a sign is in the way.
type Verdict string

// The verdicts.
const (
	Good  Verdict = "ok"
	Doubt Verdict = "weak" // works, at a price or a risk
	Bad   Verdict = "bad"  // commands fail
)

// A Diagnosis is one thing that Doctor looked at.
type Diagnosis struct {
	What    string  `json:"what"` // one word or two: "clock"
	Verdict Verdict `json:"verdict"`
	Saw     string  `json:"saw"`
	Do      string  `json:"do,omitempty"`
}

// Doctor looks at how the store in f is reached, and what is in the way of
// working with it. dir is the directory that it lies in, empty where it lies
// in none. It writes one object and removes it again. An error means that
// ctx ended: all else is a sign.
func Doctor(ctx context.Context, f *vfs.FS, opt Options, dir string) ([]Diagnosis, error) {
	d := &doctor{f: f, opt: opt.filled(), key: checkDir + "/" + strings.ToLower(rand.Text()[:12]) + "/k"}
	if dir != "" && !d.directory(ctx, dir) {
		return d.signs, ctx.Err()
	}
	d.service(ctx)
	d.permissions(ctx)
	d.roundTrip(ctx)
	d.store(ctx)
	return d.signs, ctx.Err()
}

type doctor struct {
	f     *vfs.FS
	opt   Options
	key   string
	signs []Diagnosis
	about vfs.About
}

func (d *doctor) add(v Verdict, what, do, format string, args ...any) {
	d.signs = append(d.signs, Diagnosis{what, v, fmt.Sprintf(format, args...), do})
}

// service tells what the service tells.
func (d *doctor) service(ctx context.Context) {
	about, ok := d.f.About(ctx)
	d.about = about
	if !ok {
		return
	}
	for _, t := range []struct {
		what string
		vfs.Told
		do string // where it could not be told
	}{
		{"service", about.Service, "look at the address and the endpoint"},
		{"credentials", about.Credentials, "docs/providers.md says where they are looked for"},
		{"identity", about.Identity, ""},
	} {
		switch {
		case t.Err != nil:
			d.add(Doubt, t.what, t.do, "cannot tell: %v", t.Err)
		case t.Value != "":
			d.add(Good, t.what, "", "%s", t.Value)
		}
	}
	d.versioning(about.Versioning)
	switch e := about.Encryption; {
	case e.Err != nil:
		d.add(Good, "encryption", "", "cannot tell: %v", e.Err)
	case e.Value != "":
		d.add(Good, "encryption", "", "of what is written: %s", e.Value)
	}
}

func (d *doctor) versioning(v vfs.Told) {
	switch {
	case v.Err != nil:
		d.add(Good, "versioning", "", "cannot tell: %v", v.Err)
	case v.Value == "on", strings.HasPrefix(v.Value, "on "):
		d.add(Good, "versioning", "", "%s: what is overwritten can be had back from the service", v.Value)
	case v.Value != "":
		d.add(Doubt, "versioning", "enable it at the service, so that a person who deletes the store by mistake can have it back", "%s", v.Value)
	}
}

// permissions tries each verb on a key of its own.
func (d *doctor) permissions(ctx context.Context) {
	const do = "permit it for these credentials on the whole folder: docs/providers.md has the policy"
	data := []byte("written by stateroom doctor, who removes it again\n")
	list := func() error {
		for _, err := range d.f.ListDir(ctx, "") {
			return err
		}
		return nil
	}
	written, err := d.f.Put(ctx, d.key, data, vfs.Cond{}, "")
	wrote := err == nil
	d.verb("write", err, do)
	if wrote {
		d.clock(written.Time)
		got, e, err := d.f.Get(ctx, d.key)
		if err == nil && !bytes.Equal(got, data) {
			err = errors.New("what was written came back as something else")
		}
		d.verb("read", err, do)
		if err == nil && written.Time.IsZero() && d.about.Clock.IsZero() { // else it is told already
			d.clock(e.Time)
		}
	} else {
		_, _, err := d.f.Get(ctx, d.key)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		d.verb("read", err, do)
	}
	d.verb("list", list(), do)
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = d.f.Delete(clean, d.key, vfs.Cond{})
	if err != nil && !wrote {
		d.verb("delete", err, do)
		return
	}
	if _, _, still := d.f.Get(clean, d.key); err == nil && still == nil {
		err = errors.New("the object is still there after it")
	}
	d.verb("delete", err, do)
}

func (d *doctor) verb(what string, err error, do string) {
	if err == nil {
		d.add(Good, what, "", "permitted")
		return
	}
	hinted, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if ok && hinted.Hint() != "" {
		do = hinted.Hint()
	}
	d.add(Bad, what, do, "%v", err)
}

// clock compares the service's clock with ours. Signatures of requests hold for
// some minutes, and commits of a clock that runs ahead look young for long.
func (d *doctor) clock(written time.Time) {
	theirs := written
	if !d.about.Clock.IsZero() {
		theirs = d.about.Clock
	}
	if theirs.IsZero() {
		return
	}
	off := d.opt.Now().Sub(theirs)
	switch away := off.Abs(); {
	case away < 5*time.Second:
		d.add(Good, "clock", "", "this machine's and the service's agree within %s", max(away, time.Second).Round(time.Second))
	case away < 5*time.Minute:
		d.add(Doubt, "clock", "set this machine's clock by the network (NTP)", "this machine's is %s %s the service's", away.Round(time.Second), side(off))
	default:
		d.add(Bad, "clock", "set this machine's clock by the network (NTP): services refuse requests signed at another time", "this machine's is %s %s the service's", away.Round(time.Second), side(off))
	}
}

func side(off time.Duration) string {
	if off > 0 {
		return "ahead of"
	}
	return "behind"
}

// roundTrip measures small requests.
func (d *doctor) roundTrip(ctx context.Context) {
	const times = 5
	var took []time.Duration
	for range times {
		begin := time.Now() // not Now of the options: a duration is wanted
		if _, _, err := d.f.Get(ctx, d.key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // said already
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	middle := took[times/2]
	if middle > 300*time.Millisecond {
		d.add(Doubt, "round trip", "a commit takes five in a row: work nearer to the service", "%s, the median of %d requests", middle.Round(time.Millisecond), times)
		return
	}
	d.add(Good, "round trip", "", "%s, the median of %d requests", max(middle, time.Microsecond).Round(10*time.Microsecond), times)
}

// store tells what lies there.
func (d *doctor) store(ctx context.Context) {
	s, err := store.Open(ctx, d.f, d.opt.forStore())
	if err == nil {
		err = s.Load(ctx)
	}
	if err != nil {
		d.verb("store", err, "stateroom store fsck says more")
		return
	}
	if s.ID() == "" {
		d.add(Good, "store", "", "there is none yet; the first write makes it")
		return
	}
	d.add(Good, "store", "", "format 1, id %s", s.ID())
	if !d.f.Traits().Unproven {
		return
	}
	switch c, ok := s.Checked(); {
	case !ok:
		d.add(Good, "conditions", "", "not tried yet; the first write does")
	case c.Usable():
		d.add(Good, "conditions", "", "the service keeps them, as seen on %s", c.Time.Format(time.DateOnly))
	default:
		refused := &store.ServiceError{Place: d.f.Name(), Found: c}
		d.add(Bad, "conditions", refused.Hint(), "%v", refused)
	}
}
