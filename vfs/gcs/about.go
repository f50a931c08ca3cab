package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// settings is the part of the service's description of a bucket that is asked
// for.
type settings struct {
	Versioning struct {
		Enabled bool `json:"enabled"`
	} `json:"versioning"`
	SoftDelete struct {
		Seconds string `json:"retentionDurationSeconds"`
	} `json:"softDeletePolicy"`
	Encryption struct {
		Key string `json:"defaultKmsKeyName"`
	} `json:"encryption"`
}

// About tells what the bucket is and how it is reached, by one request for a
// token and one for the bucket's settings. Who may use a bucket's objects may
// not always see these.
func (d *Driver) About(ctx context.Context) vfs.About {
	a := vfs.About{Service: vfs.Told{Value: "Google Cloud Storage"}}
	if !d.google {
		_, host, _ := strings.Cut(d.endpoint, "://")
		a.Service.Value += " at " + host
	}
	a.Credentials, a.Identity = d.who(ctx)
	if a.Credentials.Err != nil {
		err := errors.New("there are no credentials to ask with")
		a.Versioning.Err, a.Encryption.Err = err, err
		return a
	}
	s, clock, err := d.settings(ctx)
	a.Clock = clock
	a.Versioning.Err, a.Encryption.Err = err, err
	if err == nil {
		a.Versioning.Value, a.Encryption.Value = s.versioning(), s.encryption()
	}
	if d.kmsKey != "" {
		a.Encryption = vfs.Told{Value: "with key " + d.kmsKey}
	}
	return a
}

// who tells where the credentials were found, and whose they are.
func (d *Driver) who(ctx context.Context) (found, identity vfs.Told) {
	if d.tokens == nil {
		return vfs.Told{Value: "none, as STORAGE_EMULATOR_HOST is set"}, vfs.Told{}
	}
	if _, f := d.tokens.token(ctx); f != nil {
		return vfs.Told{Err: f.Err}, vfs.Told{}
	}
	found.Value = "the account attached to this machine"
	if d.tokens.file != "" {
		found.Value = "file " + d.tokens.file
	}
	return found, vfs.Told{Value: wire.Brief(d.tokens.user)}
}

// settings asks for those of the bucket, and for the time.
func (d *Driver) settings(ctx context.Context) (s settings, clock time.Time, err error) {
	r, err := d.read(ctx, call{
		verb: "look", method: http.MethodGet, url: d.endpoint + "/storage/v1/b/" + escape(d.bucket, ""),
		query: url.Values{"fields": {"versioning,softDeletePolicy,encryption"}},
	})
	if err != nil {
		return s, clock, err
	}
	clock, _ = http.ParseTime(r.header.Get("Date")) // zero: it says none
	if err := json.Unmarshal(r.body, &s); err != nil {
		return s, clock, fmt.Errorf("the answer is no JSON: %w", err)
	}
	return s, clock, nil
}

// versioning tells whether what is overwritten is kept: for good, or for the
// days of the soft delete.
func (s settings) versioning() string {
	if s.Versioning.Enabled {
		return "on"
	}
	if seconds, err := strconv.Atoi(s.SoftDelete.Seconds); err == nil && seconds > 0 {
		return fmt.Sprintf("on for %.3g days (soft delete)", (time.Duration(seconds)*time.Second).Hours()/24)
	}
	return "off"
}

func (s settings) encryption() string {
	if s.Encryption.Key == "" {
		return "with the service's keys"
	}
	return "with key " + wire.Brief(s.Encryption.Key)
}
