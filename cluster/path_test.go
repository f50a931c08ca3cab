package cluster

import "testing"

// TestLaterPathsLeadSomewhere: each path of the later version has its field in
// v1alpha2, and is not one of v1alpha2 itself, which it would hide.
func TestLaterPathsLeadSomewhere(t *testing.T) {
	for _, m := range later {
		if _, ok := FieldFor(KindCluster, m.to); !ok {
			t.Errorf("%s is no field", m.to)
		}
		if _, ok := FieldFor(KindCluster, m.from); ok {
			t.Errorf("%s is a field itself", m.from)
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
