package vfs

import (
	"context"
	"strings"
	"time"
)

// A Placer is a [Driver] that knows a name for its place that is the same for
// all who reach it by whatever URL, and another for another service:
// "s3 minio.example.com:9000/bucket/dir". It makes no request for it.
type Placer interface {
	Place() string
}

// An Advisor is a [Driver] that can tell what a person should know of the
// place and of how it is reached. It may take a few requests, none of which
// writes.
type Advisor interface {
	About(ctx context.Context) About
}

// A BareDeleter is a [Driver] whose Delete looks at the object first, since
// the service may ignore the condition. BareDelete does not: it makes one
// request under the service's own condition, to see what that is worth.
type BareDeleter interface {
	BareDelete(ctx context.Context, key string, v Version) error
}

// About is what an [Advisor] tells. A Told that is zero is a thing of which
// the service knows nothing.
type About struct {
	Service     Told      // what answers: "S3 at minio.example.com:9000", with its own name for itself where it says one
	Credentials Told      // where they were found: "environment (AWS_ACCESS_KEY_ID)", "profile prod"; never a secret
	Identity    Told      // who one is to the service
	Versioning  Told      // "on", "on for 7 days", "off", "suspended": whether it keeps what is overwritten
	Encryption  Told      // "AES256", "aws:kms with key ...": of what is written
	Clock       time.Time // the service's, as its last answer said; zero: it says none
}

// Told is one thing that a service told, or why it did not.
type Told struct {
	Value string
	Err   error
}

// Place returns a name for the folder that does not depend on the URL by which
// it was reached, where the driver knows one; see [Placer].
func (f *FS) Place() string {
	if p, ok := ability[Placer](f.d); ok {
		return strings.TrimSuffix(p.Place()+"/"+f.dir, "/")
	}
	return f.name
}

// BareDelete removes the object at key if it is at v, by the service's own
// condition alone; see [BareDeleter].
func (f *FS) BareDelete(ctx context.Context, key string, v Version) error {
	b, ok := ability[BareDeleter](f.d)
	if !ok {
		return f.Delete(ctx, key, IfVersion(v))
	}
	err := f.checkWrite(key, IfVersion(v))
	if err == nil {
		err = b.BareDelete(ctx, f.dir+key, v)
	}
	return f.wrap("delete", key, err)
}

// About returns what the driver tells of the place, and false where it is no
// [Advisor].
func (f *FS) About(ctx context.Context) (About, bool) {
	a, ok := ability[Advisor](f.d)
	if !ok {
		return About{}, false
	}
	return a.About(ctx), true
}
