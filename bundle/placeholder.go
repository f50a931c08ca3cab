package bundle

import "strings"

// Placeholders are the values that differ from node to node: a closed set.
type Placeholders struct {
	Node    string // ${NODE}: the node's name
	Address string // ${ADDRESS}: its address
	Set     string // ${SET}: the stable path of the set in force
	State   string // ${STATE}: where the host keeps what must last
}

// Expand returns s with every placeholder replaced. Values are put in as they
// are, never expanded again. A "${" that begins no placeholder is an error.
func (p Placeholders) Expand(s string) (string, error) {
	return expand(s, map[string]string{"NODE": p.Node, "ADDRESS": p.Address, "SET": p.Set, "STATE": p.State})
}

func expand(s string, values map[string]string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := values[name]
		if !closed || !known {
			return "", refusef("%.40q begins no placeholder that may stand here", "${"+rest)
		}
		out.WriteString(value)
		s = after
	}
}
