package stateroom

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
	"github.com/stateroom/stateroom/pki"
	"github.com/stateroom/stateroom/plan"
	"github.com/stateroom/stateroom/store"
)

// authority is the keyset that signs who may talk to the API server.
const authority = "kubernetes-ca"

// Access says what a kubeconfig gives access as.
type Access struct {
	User     string        // empty: admin
	Validity time.Duration // of the certificate
	Server   string        // https://ADDRESS:PORT; empty: where the cluster's hosts say that it is
}

// AdminValidity is how long an exported admin certificate is valid where
// nothing is said: kops' default.
const AdminValidity = 18 * time.Hour

// Kubeconfig issues an admin's client certificate (group system:masters) from
// the store's own keys, and returns a kubeconfig file with it. The file holds a
// private key.
func (s *Store) Kubeconfig(ctx context.Context, name cluster.Name, a Access) ([]byte, error) {
	c, err := s.credentials(ctx, name, a)
	if err != nil {
		return nil, err
	}
	return c.kubeconfig(string(name)), nil
}

// credentials are what it takes to talk to an API server as somebody.
type credentials struct {
	server    string
	user      string
	authority []byte // PEM
	cert, key []byte // PEM
}

func (s *Store) credentials(ctx context.Context, name cluster.Name, a Access) (*credentials, error) {
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := head.ReadFile(ctx, keysetDir+authority+keysetFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingError{What: "keyset", Name: authority, hint: fmt.Sprintf("it is made by stateroom update cluster %s --yes", name)}
	}
	if err != nil {
		return nil, err
	}
	ca, err := pki.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("read keyset %s of %s: %w", authority, name, err)
	}
	c := &credentials{server: a.Server, user: a.User, authority: ca.Trusted()}
	if c.user == "" {
		c.user = "admin"
	}
	if c.server == "" {
		if c.server, err = s.serverURL(ctx, name, head.LineageID()); err != nil {
			return nil, err
		}
	}
	c.cert, c.key, err = ca.Issue(pki.Request{
		CommonName:   "kubecfg-" + c.user, // as kops names them, for audit logs
		Organization: []string{"system:masters"},
		Usages:       []string{"client"},
		Validity:     a.Validity,
	}, s.opt.Now(), s.opt.Rand)
	if err != nil {
		return nil, fmt.Errorf("issue a client certificate of %s: %w", name, err)
	}
	return c, nil
}

// serverURL is where the API server of a cluster answers: at the address that
// a control-plane host reports, else at the one this machine would give it, and
// at the port that is live.
func (s *Store) serverURL(ctx context.Context, name cluster.Name, id string) (string, error) {
	c, _, err := s.asReleased(ctx, name)
	if err != nil {
		return "", err
	}
	if !c.OnHosts() {
		if c.Spec.MasterPublicName != "" {
			return "https://" + c.Spec.MasterPublicName, nil
		}
		return "https://api." + string(name), nil
	}
	st, err := s.Standing(ctx, name)
	if err != nil {
		return "", err
	}
	for _, h := range st.Hosts {
		if g := c.Group(h.Group); g != nil && g.Spec.Role == cluster.RoleControlPlane && h.Address != "" {
			return serverAt(h.Address, plan.APIPort(c)), nil
		}
	}
	return serverAt(LocalAddress(id), plan.APIPort(c)), nil
}

// asReleased loads a cluster as it is released, and the snapshot that it is of; where
// nothing is released, as it is committed.
func (s *Store) asReleased(ctx context.Context, name cluster.Name) (*cluster.Cluster, *store.Snapshot, error) {
	sn, err := s.headOf(ctx, name, documents...)
	if err != nil {
		return nil, nil, err
	}
	release, err := released(ctx, sn)
	if err == nil && release != nil {
		sn, err = sn.Earlier(ctx, release.Commit)
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := loadFrom(ctx, sn, name)
	return c, sn, err
}

// kubeconfig renders the file, in the form that kubectl writes.
func (c *credentials) kubeconfig(name string) []byte {
	return doc.Format(map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": name,
		"preferences":     map[string]any{},
		"clusters": []any{map[string]any{"name": name, "cluster": map[string]any{
			"server": c.server, "certificate-authority-data": base64.StdEncoding.EncodeToString(c.authority),
		}}},
		"users": []any{map[string]any{"name": name, "user": map[string]any{
			"client-certificate-data": base64.StdEncoding.EncodeToString(c.cert), "client-key-data": base64.StdEncoding.EncodeToString(c.key),
		}}},
		"contexts": []any{map[string]any{"name": name, "context": map[string]any{
			"cluster": name, "user": name,
		}}},
	})
}
