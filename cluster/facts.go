package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// Facts are what a cloud would answer, in the format of
// docs/formats/cloud-facts.md. A list that is empty says nothing: what it is
// about is taken as it is given.
type Facts struct {
	Project        string        `yaml:"project"`        // gce: where no --project is given
	StorageAccount string        `yaml:"storageAccount"` // azure: id of the account that the store lies in
	Zones          []string      `yaml:"zones"`
	Networks       []Network     `yaml:"networks"`
	Images         []Image       `yaml:"images"`
	MachineTypes   []MachineType `yaml:"machineTypes"`
}

// Network is one that is there already.
type Network struct {
	ID      string          `yaml:"id"`
	CIDR    string          `yaml:"cidr"`
	Subnets []NetworkSubnet `yaml:"subnets"`
}

// NetworkSubnet is a subnet of a network that is there.
type NetworkSubnet struct {
	ID   string `yaml:"id"`
	CIDR string `yaml:"cidr"`
	Zone string `yaml:"zone"`
}

// Image is an image of machines.
type Image struct {
	Name         string `yaml:"name"`
	Architecture string `yaml:"architecture"` // amd64
}

// MachineType is one that the cloud offers.
type MachineType struct {
	Name         string   `yaml:"name"`
	Architecture string   `yaml:"architecture"` // amd64, in aws by the name
	CPUs         int      `yaml:"cpus"`
	Memory       int      `yaml:"memory"` // MiB
	Zones        []string `yaml:"zones"`  // all
	Roles        []string `yaml:"roles"`  // of groups that get it where none is named
}

// factsFormat is the newest format that ParseFacts reads.
const factsFormat = 1

// factsFields are the fields that there are, by the path of their parent.
var factsFields = map[string][]string{
	"":                     {"format", "project", "storageAccount", "zones", "networks", "images", "machineTypes"},
	"networks[]":           {"id", "cidr", "subnets"},
	"networks[].subnets[]": {"id", "cidr", "zone"},
	"images[]":             {"name", "architecture"},
	"machineTypes[]":       {"name", "architecture", "cpus", "memory", "zones", "roles"},
}

// ParseFacts reads a file of facts. The error is an *InvalidError with all that
// is wrong, unknown fields included.
func ParseFacts(name string, src []byte) (*Facts, error) {
	docs, err := doc.Parse(src)
	if err != nil {
		return nil, Invalid(parseProblems(name, err))
	}
	if len(docs) != 1 {
		return nil, Invalid([]Problem{{File: name, Message: fmt.Sprintf("facts are one document, here are %d", len(docs))}})
	}
	f := &factsReader{name: name, doc: docs[0], facts: &Facts{}}
	if err := docs[0].Decode(f.facts); err != nil {
		return nil, Invalid(parseProblems(name, err))
	}
	f.fields()
	f.format()
	f.values()
	if err := Invalid(f.problems); err != nil {
		return nil, err
	}
	return f.facts, nil
}

type factsReader struct {
	name     string
	doc      *doc.Document
	facts    *Facts
	problems []Problem
}

func (f *factsReader) wrong(hint, message string, path ...any) {
	at := field(path...)
	line, col := f.doc.Position(at...)
	f.problems = append(f.problems, Problem{File: f.name, Line: line, Col: col, Path: doc.PathString(at), Message: message, Hint: hint})
}

// fields refuses those that do not exist.
func (f *factsReader) fields() {
	var walk func(v any, at string, path []any)
	walk = func(v any, at string, path []any) {
		switch v := v.(type) {
		case []any:
			for i, item := range v {
				walk(item, at+"[]", append(path[:len(path):len(path)], i))
			}
		case map[string]any:
			known := factsFields[at]
			for key, below := range v {
				here := append(path[:len(path):len(path)], key)
				if !slices.Contains(known, key) {
					f.wrong("there are "+strings.Join(known, ", "), fmt.Sprintf("unknown field %q", shorten(key)), here...)
					continue
				}
				walk(below, strings.TrimPrefix(at+"."+key, "."), here)
			}
		}
	}
	root, _ := f.doc.Get()
	if _, ok := root.(map[string]any); !ok {
		f.wrong("docs/formats/cloud-facts.md shows one", "facts are a mapping")
	}
	walk(root, "", nil)
	slices.SortStableFunc(f.problems, byPlace)
}

func (f *factsReader) format() {
	v, there := f.doc.Get("format")
	if !there {
		return
	}
	n, isNumber := v.(int)
	switch {
	case !isNumber || n < 1:
		f.wrong("format: 1", fmt.Sprintf("%v is no format", v), "format")
	case n > factsFormat:
		f.wrong("upgrade stateroom", fmt.Sprintf("it was written by a newer Stateroom (format %d, this one reads %d)", n, factsFormat), "format")
	}
}

func (f *factsReader) values() {
	cidr := func(text string, path ...any) {
		if text == "" {
			return
		}
		if _, err := parseCIDR(text); err != nil {
			f.wrong("", err.Error(), path...)
		}
	}
	for i, n := range f.facts.Networks {
		if n.ID == "" {
			f.wrong("", "a network has no id", "networks", i)
		}
		cidr(n.CIDR, "networks", i, "cidr")
		for j, s := range n.Subnets {
			if s.ID == "" {
				f.wrong("", "a subnet has no id", "networks", i, "subnets", j)
			}
			cidr(s.CIDR, "networks", i, "subnets", j, "cidr")
		}
	}
	architecture := func(text string, path ...any) {
		if text != "" && text != amd64 && text != arm64 {
			f.wrong("amd64 or arm64", fmt.Sprintf("%q is no architecture", shorten(text)), path...)
		}
	}
	for i, m := range f.facts.Images {
		architecture(m.Architecture, "images", i, "architecture")
	}
	for i, m := range f.facts.MachineTypes {
		if m.Name == "" {
			f.wrong("", "a machine type has no name", "machineTypes", i)
		}
		architecture(m.Architecture, "machineTypes", i, "architecture")
		for j, name := range m.Roles {
			if !slices.ContainsFunc(roleNames, func(r struct {
				role Role
				name string
			}) bool {
				return r.name == name
			}) {
				f.wrong("control-plane, node, bastion or apiserver", fmt.Sprintf("%q is no role", shorten(name)), "machineTypes", i, "roles", j)
			}
		}
	}
}

// network finds a network, or nil.
func (f *Facts) network(id string) *Network {
	i := slices.IndexFunc(f.Networks, func(n Network) bool { return n.ID == id })
	if i < 0 || id == "" {
		return nil
	}
	return &f.Networks[i]
}

// networkOf finds the network that holds a subnet, or nil.
func (f *Facts) networkOf(subnet string) *Network {
	i := slices.IndexFunc(f.Networks, func(n Network) bool { return n.subnet(subnet) != nil })
	if i < 0 {
		return nil
	}
	return &f.Networks[i]
}

func (n *Network) subnet(id string) *NetworkSubnet {
	i := slices.IndexFunc(n.Subnets, func(s NetworkSubnet) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &n.Subnets[i]
}

func (f *Facts) machine(name string) *MachineType {
	i := slices.IndexFunc(f.MachineTypes, func(m MachineType) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &f.MachineTypes[i]
}
