package stateroom

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stateroom/stateroom/cluster"
)

// apiTimeout bounds one request to an API server that should be near.
const apiTimeout = 5 * time.Second

// waitForServiceAccount returns when the controller manager has made the
// default ServiceAccount: from then on pods can be made.
func (s *Store) waitForServiceAccount(ctx context.Context, name cluster.Name) error {
	api, err := s.api(ctx, name)
	if err != nil {
		return err
	}
	defer api.client.CloseIdleConnections()
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	for {
		err := api.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the default ServiceAccount of %s: %w", name, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// Answers returns nil where the cluster's API server says that it is ready.
func (s *Store) Answers(ctx context.Context, name cluster.Name) error {
	api, err := s.api(ctx, name)
	if err != nil {
		return err
	}
	defer api.client.CloseIdleConnections()
	return api.get(ctx, "/readyz")
}

// api is an API server, spoken to as an admin.
type api struct {
	server string
	client *http.Client
}

func (s *Store) api(ctx context.Context, name cluster.Name) (*api, error) {
	c, err := s.credentials(ctx, name, Access{Validity: time.Hour})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fmt.Errorf("the client certificate of %s: %w", name, err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}}
	return &api{server: c.server, client: &http.Client{Transport: transport, Timeout: apiTimeout}}, nil
}

// get asks for a path and wants a 200.
func (a *api) get(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.server+path, nil)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return fmt.Errorf("GET %s%s: %w", a.server, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s%s: %s", a.server, path, resp.Status)
	}
	return nil
}
