// Package backends is where the drivers of this build come together: it turns
// the address of a store, as a person writes it, into a [vfs.FS]. Nothing else
// names a driver, so that what a program links is decided here.
package backends

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/file"
	"github.com/stateroom/stateroom/vfs/mem"
)

// Options is what drivers need from outside.
type Options struct {
	// Getenv gives the settings of services that take them from the
	// environment, as kops' S3_ENDPOINT; nil is an empty environment. What the
	// services' own SDKs read (AWS_PROFILE, GOOGLE_APPLICATION_CREDENTIALS)
	// they read themselves.
	Getenv func(string) string
}

func (opt Options) getenv(name string) string {
	if opt.Getenv == nil {
		return ""
	}
	return opt.Getenv(name)
}

// openers are the services of this build, by scheme.
var openers = map[string]func(ctx context.Context, url string, opt Options) (*vfs.FS, error){
	"mem":    openMemory,
	"s3":     openS3,
	"do":     openS3,
	"scw":    openS3,
	"linode": openS3,
	"hos":    openS3,
	"gs":     openGCS,
	"sftp":   openSFTP,
	"http":   openHTTP,
	"https":  openHTTP,

	"azureblob": openAzure,
}

// later lists the schemes of stores that kops knows and this build cannot open.
var later = []string{"swift", "oss"}

// Open opens the store at an address: a plain path, file://PATH, mem:// (in the
// memory of this process, empty, for tests and scripts), or the URL of a
// service as docs/providers.md has them. Opening writes nothing and asks
// nothing of a service; a directory that does not exist yet is an empty store.
//
// The error of a scheme that is not built in matches [errors.ErrUnsupported],
// that of an address nobody can read [fs.ErrInvalid].
func Open(ctx context.Context, url string, opt Options) (*vfs.FS, error) {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return openDir(url)
	}
	if scheme == "file" {
		return openDir(rest)
	}
	if open, ok := openers[scheme]; ok {
		return open(ctx, url, opt)
	}
	if slices.Contains(later, scheme) {
		return nil, &SchemeError{URL: withoutUser(url), Err: errors.ErrUnsupported}
	}
	return nil, &SchemeError{URL: withoutUser(url), Err: fs.ErrInvalid}
}

func openMemory(_ context.Context, url string, _ Options) (*vfs.FS, error) {
	return vfs.New(mem.New(mem.Options{}), url), nil
}

// Dir returns the directory a store's address names, absolute, and false for
// a store that is no directory.
func Dir(url string) (string, bool) {
	if rest, ok := strings.CutPrefix(url, "file://"); ok {
		url = rest
	} else if strings.Contains(url, "://") {
		return "", false
	}
	dir, err := filepath.Abs(url)
	return dir, err == nil && url != ""
}

func openDir(path string) (*vfs.FS, error) {
	dir, ok := Dir(path)
	if !ok {
		return nil, fmt.Errorf("open store %q: not a path: %w", path, fs.ErrInvalid)
	}
	d, err := file.Open(dir, file.Options{})
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return vfs.New(d, dir), nil
}

// withoutUser drops what stands before an @ in an address's host: it may be a
// password. One with a slash in it ends the host early, at what is no port.
func withoutUser(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	host, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(host, '@')
	if _, port, ok := strings.Cut(host, ":"); at < 0 && ok && strings.Trim(port, "0123456789") != "" {
		at = strings.LastIndexByte(rest, '@')
	}
	return scheme + "://" + rest[at+1:]
}

// SchemeError is the refusal of an address whose scheme this build cannot open.
type SchemeError struct {
	URL string // without user and password
	Err error  // errors.ErrUnsupported: known, not built in; fs.ErrInvalid: unknown
}

func (e *SchemeError) Error() string {
	if errors.Is(e.Err, errors.ErrUnsupported) {
		return fmt.Sprintf("open store %s: such stores are not built into this version yet", e.URL)
	}
	return fmt.Sprintf("open store %s: unknown scheme", e.URL)
}

func (e *SchemeError) Unwrap() error { return e.Err }

// Hint says what can be opened.
func (e *SchemeError) Hint() string {
	return "a store is a directory (/path or file:///path), or a URL that begins with " + strings.Join(slices.Sorted(maps.Keys(openers)), "://, ") + "://"
}
