package s3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stateroom/stateroom/internal/retry"
	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// slowest is the rate, in bytes a second, that an answer may come at; it
// lengthens the deadline of large ones.
const slowest = 256 << 10

// A send makes one request. It calls extend when it learns how many bytes the
// answer has, and hands the options on to the SDK.
type send func(ctx context.Context, extend func(size int64), o func(*s3.Options)) error

// try makes one request with size bytes in it, under a deadline. If the answer
// tells where the bucket is, or what time it is there, it asks once more: such
// a request was not carried out. Errors are [*Error], or that of ctx.
func (d *Driver) try(ctx context.Context, verb, key string, size int64, send send) error {
	err := d.once(ctx, verb, key, size, send)
	var e *Error
	if errors.As(err, &e) && d.learn(e) {
		err = d.once(ctx, verb, key, size, send)
	}
	return err
}

// once makes one request under a deadline.
func (d *Driver) once(ctx context.Context, verb, key string, size int64, send send) error {
	within := func(size int64) time.Duration {
		return d.opt.Timeout + time.Duration(size)*time.Second/slowest
	}
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := &lateError{within(size)}
	timer := time.AfterFunc(late.after, func() { cancel(late) })
	defer timer.Stop()
	err := send(timed, func(size int64) { timer.Reset(within(size)) }, d.here)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(context.Cause(timed), late):
		err = late
	}
	return d.explain(verb, key, err)
}

// here sets the region where the bucket turned out to be.
func (d *Driver) here(o *s3.Options) {
	if region := d.region.Load(); region != nil {
		o.Region = *region
	}
}

// learn takes from a refusal what makes the next request right, and reports
// whether there was something.
func (d *Driver) learn(e *Error) bool {
	if e.Code == "RequestTimeTooSkewed" {
		return true // the SDK has set its clock by the answer
	}
	if known := d.region.Load(); e.region == "" || known != nil && *known == e.region {
		return false
	}
	d.region.Store(&e.region)
	return true
}

// again makes a request until it is answered, pausing in between, where its
// error says that this can help. The request must bear being done twice.
func (d *Driver) again(ctx context.Context, try func() error) error {
	return d.retry.Do(ctx, func(n int) error {
		err := try()
		if f := fateOf(err); f == busy || f == unknown || f == undone && n+1 < wire.Dials {
			return retry.After(pause(err), err)
		}
		return err
	})
}

// pause is how long the service wants to be left alone.
func pause(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.pause
	}
	return 0
}

// write is again for what changes the bucket. Once a try got no answer, it may
// have been done: a refusal of a later one does not say that nothing was.
func (d *Driver) write(ctx context.Context, try func(doubt bool) error) error {
	doubt := false
	err := d.again(ctx, func() error {
		err := try(doubt)
		doubt = doubt || mayBeDone(err)
		return err
	})
	if err != nil && doubt && !errors.Is(err, vfs.ErrConflict) {
		return wire.InDoubt(err)
	}
	return err
}

// lateError says that an answer did not come in time.
type lateError struct{ after time.Duration }

func (e *lateError) Error() string {
	return fmt.Sprintf("no answer within %s", e.after.Round(time.Second))
}
