package http

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stateroom/stateroom/vfs"
)

// A version is what the server can be asked about, or, where that cannot be
// trusted, a digest of the bytes, of which it knows nothing: then the object is
// fetched to see whether it has changed.
const (
	byTag    = "tag "    // ETag
	byTime   = "time "   // Last-Modified
	byDigest = "digest " // SHA-256, 32 hexadecimal digits
)

// settled is how much older than an answer an object must be, for what the
// server says of its version to be true: servers make it from the second of
// the last change, in which there may be another.
const settled = 2 * time.Second

// entryOf describes an object by the answer it came with.
func entryOf(key string, data []byte, h http.Header) vfs.Entry {
	e := vfs.Entry{Key: key, Size: int64(len(data))}
	changed, cerr := http.ParseTime(h.Get("Last-Modified"))
	now, nerr := http.ParseTime(h.Get("Date"))
	if e.Time = changed; cerr != nil {
		if e.Time = now; nerr != nil {
			e.Time = time.Now()
		}
	}
	old := cerr == nil && nerr == nil && now.Sub(changed) >= settled
	tag := h.Get("ETag")
	strong := cerr != nil && tag != "" && !strings.HasPrefix(tag, "W/")
	switch {
	case tag != "" && (old || strong):
		e.Version = vfs.Version(byTag + tag)
	case old:
		e.Version = vfs.Version(byTime + h.Get("Last-Modified"))
	default:
		sum := sha256.Sum256(data)
		e.Version = vfs.Version(fmt.Sprintf("%s%x", byDigest, sum[:16]))
	}
	return e
}

// unlessHeader asks for an object only if it is at another version.
func unlessHeader(h http.Header, v vfs.Version) {
	if tag, ok := strings.CutPrefix(string(v), byTag); ok {
		h.Set("If-None-Match", tag)
	} else if at, ok := strings.CutPrefix(string(v), byTime); ok {
		h.Set("If-Modified-Since", at)
	}
}
