package cluster

import "testing"

// TestLaterPathsLeadSomewhere: each path of the later version has its field in
// v1alpha2, and is not one of v1alpha2 itself, which it would hide.
func TestLaterPathsLeadSomewhere(t *testing.T) {
	for kind, moved := range later {
		for _, m := range moved {
			if _, ok := FieldFor(kind, m.to); !ok {
				t.Errorf("%s is no field of %s", m.to, kind)
			}
			if _, ok := FieldFor(kind, m.from); ok {
				t.Errorf("%s is a field of %s itself", m.from, kind)
			}
		}
	}
}

func TestPathsAreReadAsWritten(t *testing.T) {
	for _, path := range []string{"spec", "spec.a[0].b", "spec.list[name=x.y/z].c", "spec.map[a.b/c]", "a[*][1]"} {
		steps, err := parsePath(path)
		if err != nil || joinSteps(steps) != path {
			t.Errorf("%s is read as %s, %v", path, joinSteps(steps), err)
		}
	}
}
