package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/stateroom/stateroom/bundle"
)

// etcd is a service that is an etcd, as its own flags say it.
type etcd struct {
	service string
	data    string // its data directory
	client  string // URL for its clients
	ready   *Ready // whose certificates a client can use

	flags map[string]string
}

// etcdOf reads what an etcd is from how it is run; false for anything else.
func etcdOf(r Run) (etcd, bool) {
	if path.Base(r.Program) != "etcd" || r.Ready == nil {
		return etcd{}, false
	}
	e := etcd{service: r.Name, ready: r.Ready, flags: map[string]string{}}
	for _, a := range r.Args {
		if k, v, ok := strings.Cut(strings.TrimLeft(a, "-"), "="); ok {
			e.flags[k] = v
		}
	}
	e.data = e.flags["data-dir"]
	e.client, _, _ = strings.Cut(e.flags["listen-client-urls"], ",")
	return e, e.data != "" && e.client != ""
}

// Limits of a snapshot on its way.
const (
	snapshotTimeout = 10 * time.Minute
	maxSnapshot     = 16 << 30 // bytes; etcd's own advice is 8 GiB
	maxMessage      = 16 << 20 // bytes of one message; etcd sends 32 KiB at a time
)

// snapshot copies a snapshot of the running etcd into w, and returns its size
// and sum. It is one call over gRPC, Maintenance/Snapshot with an empty
// request, made by hand: HTTP/2, and before each message a byte that is 0 and
// its length.
func (e etcd) snapshot(ctx context.Context, w io.Writer) (size int64, sum []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	config, err := probeTLS(e.ready)
	if err != nil {
		return 0, nil, err
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, ResponseHeaderTimeout: 30 * time.Second}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.client+"/etcdserverpb.Maintenance/Snapshot", bytes.NewReader(make([]byte, 5)))
	if err != nil {
		return 0, nil, err
	}
	req.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	resp, err := transport.RoundTrip(req)
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	if err != nil {
		return 0, nil, fmt.Errorf("ask etcd at %s: %w", e.client, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, nil, fmt.Errorf("ask etcd at %s: %s", e.client, resp.Status)
	}
	in := newSealed(w)
	if err := readPieces(resp.Body, in); err != nil {
		return 0, nil, fmt.Errorf("read from etcd at %s: %w", e.client, err)
	}
	if err := grpcStatus(resp); err != nil {
		return 0, nil, fmt.Errorf("etcd at %s says: %w", e.client, err)
	}
	return in.finish()
}

// grpcStatus is how a call ended: in the trailer, or in the header where there
// was nothing but that.
func grpcStatus(resp *http.Response) error {
	for _, h := range []http.Header{resp.Trailer, resp.Header} {
		if code := h.Get("Grpc-Status"); code != "" {
			if code == "0" {
				return nil
			}
			said, err := url.PathUnescape(h.Get("Grpc-Message"))
			if err != nil {
				said = h.Get("Grpc-Message")
			}
			return fmt.Errorf("%s (gRPC status %q)", bundle.LastWords(said), code[:min(len(code), 4)])
		}
	}
	return io.ErrUnexpectedEOF
}

// readPieces reads messages to the end and writes what they bring of the
// database.
func readPieces(r io.Reader, w io.Writer) error {
	var head [5]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF { //nolint:errorlint // ReadFull gives it bare
			return nil
		} else if err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(head[1:])
		if head[0] != 0 || n > maxMessage {
			return fmt.Errorf("a message of %d bytes with flag %d", n, head[0])
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(r, message); err != nil {
			return err
		}
		blob, err := blobOf(message)
		if err != nil {
			return err
		}
		if _, err := w.Write(blob); err != nil {
			return err
		}
	}
}

// blobOf returns field 3 of a message in protobuf's encoding: fields, each with
// a number and a kind, of which 0 is a number and 2 is bytes.
func blobOf(message []byte) ([]byte, error) {
	errBroken := errors.New("a message that is no snapshot")
	var blob []byte
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return nil, errBroken
		}
		v, m := binary.Uvarint(message[n:])
		if m <= 0 {
			return nil, errBroken
		}
		message = message[n+m:]
		switch tag & 7 {
		case 0:
		case 2:
			if v > uint64(len(message)) {
				return nil, errBroken
			}
			if tag>>3 == 3 {
				blob = message[:v]
			}
			message = message[v:]
		default:
			return nil, errBroken
		}
	}
	return blob, nil
}

// sealed passes a snapshot on and checks the sum at its end, which is of all
// that is before it.
type sealed struct {
	w     io.Writer
	size  int64
	last  []byte    // the last bytes so far, which may be the sum
	inner hash.Hash // of all before them
	outer hash.Hash // of all
}

func newSealed(w io.Writer) *sealed {
	return &sealed{w: w, inner: sha256.New(), outer: sha256.New()}
}

func (s *sealed) Write(p []byte) (int, error) {
	if s.size += int64(len(p)); s.size > maxSnapshot {
		return 0, fmt.Errorf("a snapshot of more than %d bytes", int64(maxSnapshot))
	}
	s.outer.Write(p) // a hash takes all there is
	s.last = append(s.last, p...)
	if n := len(s.last) - sha256.Size; n > 0 {
		s.inner.Write(s.last[:n])
		s.last = append(s.last[:0], s.last[n:]...)
	}
	return s.w.Write(p)
}

// finish returns the size and the sum of all that was written, if it is a whole
// snapshot: pages of the database, and their sum.
func (s *sealed) finish() (int64, []byte, error) {
	if s.size%512 != sha256.Size || !bytes.Equal(s.inner.Sum(nil), s.last) {
		return 0, nil, &notWholeError{s.size}
	}
	return s.size, s.outer.Sum(nil), nil
}

// notWholeError says that a snapshot was cut off or changed.
type notWholeError struct{ size int64 }

func (e *notWholeError) Error() string {
	return fmt.Sprintf("it is not whole: %d bytes, and the sum at its end does not fit", e.size)
}
func (e *notWholeError) Is(target error) bool {
	return target == fs.ErrInvalid || target == bundle.ErrDigest
}
