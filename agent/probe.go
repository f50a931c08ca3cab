package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// How services are probed.
const (
	probeTimeout = 5 * time.Second // of one request
	probeAnswer  = 4 << 10         // bytes of an answer that are read
	probeMisses  = 3               // so many in a row make a ready service unready
)

// probe asks a service once; nil is the answer "ready". Files are read anew, as
// a probe is made rarely and certificates change.
func probe(ctx context.Context, r *Ready) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	config, err := probeTLS(r)
	if err != nil {
		return err
	}
	client := http.Client{
		Transport:     &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("GET %s: %w", r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, probeAnswer))
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return fmt.Errorf("GET %s: %s%s", r.URL, resp.Status, failing(body, err))
}

// failing returns the lines of an answer that name failing checks, in the form
// of Kubernetes' health endpoints.
func failing(body []byte, err error) string {
	var lines []string
	for line := range bytes.Lines(body) {
		if l := strings.TrimSpace(string(line)); err == nil && strings.HasPrefix(l, "[-]") && len(lines) < 4 {
			lines = append(lines, l)
		}
	}
	if lines = slices.Compact(lines); len(lines) == 0 {
		return ""
	}
	return ": " + strings.Join(lines, ", ")
}

func probeTLS(r *Ready) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != "" {
		pem, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate: %w", r.CA, fs.ErrInvalid)
		}
	}
	if r.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(r.Certificate+".crt", r.Certificate+".key")
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
