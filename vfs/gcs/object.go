package gcs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// Names in an object's metadata.
const (
	tagName  = "stateroom"       // the tag that Put was given
	markName = "stateroom-write" // random, of one conditional write
)

// object is what one read of an object yields.
type object struct {
	data  []byte
	entry vfs.Entry
	mark  string // of the write that made it, or ""
}

// resource is the part of the service's description of an object that is asked
// for. Numbers of 64 bits are strings there.
type resource struct {
	Name       string            `json:"name"`
	Generation string            `json:"generation"`
	Size       string            `json:"size"`
	Updated    time.Time         `json:"updated"`
	Metadata   map[string]string `json:"metadata"`
}

func (r resource) entry() (vfs.Entry, error) {
	size, err := strconv.ParseInt(r.Size, 10, 64)
	if err != nil || r.Generation == "" || r.Name == "" {
		return vfs.Entry{}, errors.New("the answer lacks the object's name, size or generation")
	}
	return vfs.Entry{
		Key: r.Name, Version: vfs.Version(r.Generation), Tag: r.Metadata[tagName], Size: size, Time: r.Updated,
	}, nil
}

// changed returns [vfs.ErrNotModified] while the object is at a version.
func (d *Driver) changed(ctx context.Context, key string, unless vfs.Version) error {
	r, err := d.read(ctx, call{
		verb: "get", method: http.MethodGet, url: d.object(key),
		query: url.Values{"ifGenerationNotMatch": {generation(unless)}, "fields": {"generation"}},
	})
	if err != nil {
		return err
	}
	var now resource
	if err := json.Unmarshal(r.body, &now); err != nil {
		return fmt.Errorf("the answer is no JSON: %w", err)
	}
	if now.Generation == string(unless) {
		return vfs.ErrNotModified // an emulator that knows no ifGenerationNotMatch
	}
	return nil
}

// fetch reads an object, its metadata with it, through the XML interface.
func (d *Driver) fetch(ctx context.Context, key string) (object, error) {
	r, err := d.read(ctx, call{
		verb: "get", method: http.MethodGet, url: d.endpoint + "/" + escape(d.bucket, "") + "/" + escape(key, "/"),
		// Asking for gzip gets the bytes as they are stored; without it the
		// service unpacks objects that were stored with that encoding.
		header: http.Header{"Accept-Encoding": {"gzip"}},
		check:  intact,
	})
	if err != nil {
		return object{}, err
	}
	if strings.EqualFold(r.header.Get("Content-Encoding"), "gzip") {
		if r.body, err = wire.Unpack(r.body); err != nil {
			return object{}, err
		}
	}
	o := object{data: r.body, mark: r.header.Get("X-Goog-Meta-" + markName)}
	o.entry = vfs.Entry{
		Key:     key,
		Version: vfs.Version(r.header.Get("X-Goog-Generation")),
		Tag:     r.header.Get("X-Goog-Meta-" + tagName),
		Size:    int64(len(r.body)),
	}
	if o.entry.Version == "" {
		return object{}, errors.New("the answer names no generation: is this Google Cloud Storage?")
	}
	if t, err := http.ParseTime(r.header.Get("Last-Modified")); err == nil {
		o.entry.Time = t
	}
	return o, nil
}

// intact holds the bytes of a read against the length and checksum that the
// service keeps. Objects that were unpacked on the way have others.
func intact(r reply) error {
	if r.status != http.StatusOK {
		return nil
	}
	unpacked := strings.EqualFold(r.header.Get("X-Goog-Stored-Content-Encoding"), "gzip") &&
		!strings.EqualFold(r.header.Get("Content-Encoding"), "gzip")
	if unpacked {
		return nil
	}
	if n := r.header.Get("X-Goog-Stored-Content-Length"); n != "" && n != strconv.Itoa(len(r.body)) {
		return fmt.Errorf("%d of %s bytes came", len(r.body), n)
	}
	for _, line := range r.header.Values("X-Goog-Hash") {
		for _, hash := range strings.Split(line, ",") {
			if want, ok := strings.CutPrefix(strings.TrimSpace(hash), "crc32c="); ok && want != checksum(r.body) {
				return errors.New("the bytes do not have their checksum")
			}
		}
	}
	return nil
}

// upload is the one request that writes an object: its description and its
// bytes, as a multipart message.
func (d *Driver) upload(key string, data []byte, c vfs.Cond, tag, mark string) (call, error) {
	description := map[string]any{
		"name":         key,
		"contentType":  "application/octet-stream",
		"cacheControl": "no-store", // else a public object stays in caches for an hour
		"crc32c":       checksum(data),
	}
	metadata := map[string]string{}
	if tag != "" {
		metadata[tagName] = tag
	}
	if mark != "" {
		metadata[markName] = mark
	}
	if len(metadata) > 0 {
		description["metadata"] = metadata
	}
	head, err := json.Marshal(description)
	if err != nil {
		return call{}, err
	}
	var body bytes.Buffer
	body.Grow(len(head) + len(data) + 512)
	w := multipart.NewWriter(&body)
	for _, part := range []struct {
		kind  string
		bytes []byte
	}{{"application/json; charset=UTF-8", head}, {"application/octet-stream", data}} {
		pw, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {part.kind}})
		if err != nil {
			return call{}, err
		}
		if _, err := pw.Write(part.bytes); err != nil {
			return call{}, err
		}
	}
	if err := w.Close(); err != nil {
		return call{}, err
	}
	q := condition(c)
	q.Set("uploadType", "multipart")
	q.Set("fields", "name,generation,size,updated")
	if d.kmsKey != "" {
		q.Set("kmsKeyName", d.kmsKey)
	}
	return call{
		verb: "put", method: http.MethodPost, url: d.endpoint + "/upload/storage/v1/b/" + escape(d.bucket, "") + "/o", query: q,
		header: http.Header{"Content-Type": {"multipart/related; boundary=" + w.Boundary()}}, body: body.Bytes(),
	}, nil
}

// uploaded reads the answer to an upload.
func (r reply) uploaded(key, tag string, size int64) (vfs.Entry, error) {
	var made resource
	if err := json.Unmarshal(r.body, &made); err != nil {
		return vfs.Entry{}, fmt.Errorf("the answer is no JSON: %w", err)
	}
	e, err := made.entry()
	if err != nil {
		return vfs.Entry{}, err
	}
	if e.Key != key || e.Size != size {
		return vfs.Entry{}, fmt.Errorf("the answer speaks of %q with %d bytes", e.Key, e.Size)
	}
	e.Tag = tag
	return e, nil
}

// checksum is the CRC-32C of data as the service writes it.
func checksum(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
