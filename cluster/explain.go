package cluster

import "strings"

// Explain finds a field by a path in which elements of lists need not be said:
// spec.etcdClusters.etcdMembers.name. The empty path is the document itself.
func Explain(kind, path string) (Field, bool) {
	f := tables()[kind]
	if f == nil {
		return Field{}, false
	}
	if path == "" {
		root := *f
		root.Doc = kindDocs[kind]
		return root, true
	}
	steps, err := parsePath(path)
	if err != nil {
		return Field{}, false
	}
	for i, s := range steps {
		switch {
		case s.bracket && f.Elem != nil:
			f = f.Elem
			continue
		case s.bracket:
			return Field{}, false
		}
		inside := f.leaf()
		c := inside.child(s.name)
		if c == nil {
			if f.Type == Map && inside.Type != Object && i == len(steps)-1 { // a key
				return *f, true
			}
			return Field{}, false
		}
		f = c
	}
	if f.name == "" { // an element: what is said of its list
		return Explain(kind, strings.TrimSuffix(strings.TrimSuffix(f.Path, "[]"), "{}"))
	}
	return *f, true
}

// kindDocs say what the kinds are.
var kindDocs = map[string]string{
	KindCluster:       "A cluster as a whole: its version, network and components. It is the file config of the cluster's folder.",
	KindInstanceGroup: "A group of like nodes: their role, number and machines. It is a file below instancegroup/ of the cluster's folder.",
	KindKeyset:        "Key pairs or tokens of one purpose, with the one in use. It is a file below pki/private/ of the cluster's folder. Secret.",
	KindSSHCredential: "A public key that may log in to the nodes. It is met in files given to create -f.",
}

// WithoutElements drops from a path what says which elements are meant.
func WithoutElements(path string) string {
	var b strings.Builder
	for path != "" {
		open := strings.IndexAny(path, "[{")
		if open < 0 {
			break
		}
		end := strings.IndexAny(path[open:], "]}")
		if end < 0 {
			break
		}
		b.WriteString(path[:open])
		path = path[open+end+1:]
	}
	return b.String() + path
}

// Words say a format as people read it; "" for none.
func (f Format) Words() string { return formatWords[f] }

var formatWords = map[Format]string{
	FormatCIDR:       "a range of addresses: 10.0.0.0/16",
	FormatCIDRs:      "ranges of addresses, comma-separated: 10.0.0.0/16,fd00::/64",
	FormatCIDROrList: "a range of addresses, 10.0.0.0/16, or a prefix list of AWS, pl-...",
	FormatCIDROrPart: "a range of addresses, fd00::/64, or a part of the network's, /64#1",
	FormatIP:         "an address: 10.0.0.1",
	FormatIPs:        "addresses, comma-separated: 10.0.0.1,10.0.0.2",
	FormatDNS:        "a DNS name: example.com",
	FormatVersion:    "a version of Kubernetes: 1.37.2, or the URL of a build",
	FormatDuration:   "a duration: 30s, 1m0s",
	FormatQuantity:   "a quantity: 200m, 1Gi",
	FormatAssignment: "NAME=VALUE",
	FormatTaint:      "KEY=VALUE:EFFECT",
	FormatMode:       "permission bits in octal: 0440",
	FormatPortRange:  "a range of ports: 30000-32767",
}
