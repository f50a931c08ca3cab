package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/stateroom/stateroom/bundle"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/pki"
)

// Keysets lists the keysets that a cluster on hosts has: those that kops gives
// it, those of kops' etcd-manager included, so that kops finds its own.
func Keysets(c *cluster.Cluster) []string {
	names := []string{"apiserver-aggregator-ca", "etcd-clients-ca", "kubernetes-ca", "service-account"}
	for _, e := range c.Spec.EtcdClusters {
		names = append(names, "etcd-manager-ca-"+e.Name, "etcd-peers-ca-"+e.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// keysets are those of a cluster, by name, and the names of those not made yet.
type keysets struct {
	byName  map[string]*pki.Keyset
	missing []string
}

func readKeysets(files fs.FS, names []string) (*keysets, error) {
	k := &keysets{byName: map[string]*pki.Keyset{}}
	for _, name := range names {
		b, err := fs.ReadFile(files, "pki/private/"+name+"/keyset.yaml")
		if errors.Is(err, fs.ErrNotExist) {
			k.missing = append(k.missing, name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read keyset %s: %w", name, err)
		}
		keyset, err := pki.Parse(b)
		if err != nil {
			return nil, fmt.Errorf("read keyset %s: %w", name, err)
		}
		if err := keyset.Check(); err != nil {
			return nil, fmt.Errorf("keyset %s: %w", name, err)
		}
		k.byName[name] = keyset
	}
	return k, nil
}

// trust adds the trusted certificates of a keyset, its primary's first.
func (r *render) trust(name string) string {
	content := Unknown + "\n"
	if k := r.keys.byName[name]; k != nil {
		content = string(k.Trusted())
	}
	return r.file(bundle.File{Path: "pki/" + name + ".crt", Mode: 0o644, Content: content})
}

// signer adds the private key with which a keyset signs.
func (r *render) signer(name string) string {
	content := Unknown + "\n"
	if k := r.keys.byName[name]; k != nil {
		primary, _ := k.PrimaryItem() // Check has seen it
		content = string(primary.Key.Reveal())
	}
	return r.file(bundle.File{Path: "pki/" + name + ".key", Mode: 0o600, Secret: true, Content: content})
}

// primary adds the certificate of the item that signs, alone: for programs that
// want exactly the one that fits the key.
func (r *render) primary(name string) string {
	content := Unknown + "\n"
	if k := r.keys.byName[name]; k != nil {
		primary, _ := k.PrimaryItem()
		content = string(primary.Certificate)
	}
	return r.file(bundle.File{Path: "pki/" + name + "-primary.crt", Mode: 0o644, Content: content})
}

// file adds a file, once, and returns where it stands on the host.
func (r *render) file(f bundle.File) string {
	if !slices.ContainsFunc(r.bundle.Files, func(there bundle.File) bool { return there.Path == f.Path }) {
		r.bundle.Files = append(r.bundle.Files, f)
	}
	return set + f.Path
}

// set is how an argument names a path in the set.
const set = "${SET}/"

// certificateDays is how long what a host issues to itself is valid, as with kops.
const certificateDays = 365

// issue adds a certificate of a keyset that the host makes for itself, and
// returns where certificate and key stand there.
func (r *render) issue(path, issuer string, req bundle.CertificateRequest) (crt, key string) {
	r.trust(issuer)
	r.signer(issuer)
	req.Path, req.Issuer, req.Days = "pki/"+path, "pki/"+issuer, certificateDays
	r.bundle.Certificates = append(r.bundle.Certificates, req)
	return set + req.Path + ".crt", set + req.Path + ".key"
}

// ofNode completes a request for the certificate of a server on the node.
func ofNode(req bundle.CertificateRequest) bundle.CertificateRequest {
	req.DNSNames = append([]string{"localhost"}, req.DNSNames...)
	req.IPs = append([]string{"${ADDRESS}", "127.0.0.1"}, req.IPs...)
	slices.Sort(req.DNSNames)
	slices.Sort(req.IPs)
	req.DNSNames, req.IPs = slices.Compact(req.DNSNames), slices.Compact(req.IPs)
	return req
}
