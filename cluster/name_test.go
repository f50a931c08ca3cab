package cluster_test

import (
	"strings"
	"testing"

	"github.com/stateroom/stateroom/cluster"
)

func TestNames(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 49)+".", 5)
	for _, good := range []string{"demo.example.com", "a.b", "demo.k8s.local", "1.2", "x-1.y--2.z", long + "abc", "lock.example.com", "demo.locks"} {
		if n, err := cluster.ParseName(good); err != nil || string(n) != good {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, rule := range map[string]string{
		"":                               "empty",
		"demo":                           "must contain a dot",
		"demo.example.com.lock":          "must not end in .lock",
		"demo.example.com/x":             "slash",
		`demo\x.y`:                       "slash",
		"../demo.x":                      "slash",
		"..":                             "begin or end with a dot",
		"a..b":                           "two in a row",
		".a.b":                           "begin or end with a dot",
		"a.b.":                           "begin or end with a dot",
		"Demo.example.com":               "lower case",
		"demo\n.example.com":             "control characters",
		"demo\x00.example.com":           "control characters",
		"dämo.example.com":               "must not contain 'ä'",
		"demo_1.example.com":             "must not contain '_'",
		"demo\xff.example.com":           "must be UTF-8",
		"demo .example.com":              "must not contain ' '",
		"-demo.example.com":              "begin or end with '-'",
		"demo-.example.com":              "begin or end with '-'",
		strings.Repeat("a", 64) + ".com": "has 64 characters",
		long + "abcd":                    "has 254 characters",
	} {
		_, err := cluster.ParseName(bad)
		if err == nil {
			t.Errorf("%q is accepted", bad)
		} else if !strings.Contains(err.Error(), rule) {
			t.Errorf("%q: %v; want the rule %q", bad, err, rule)
		}
	}
	if _, err := cluster.ParseGroupName("nodes"); err != nil {
		t.Error(err)
	}
	if _, err := cluster.ParseGroupName("Nodes"); err == nil {
		t.Error("a group name in upper case is accepted")
	}
}

func TestVersions(t *testing.T) {
	ascending := []string{"1.9.11", "1.36", "v1.36.1", "1.37.0-alpha.2", "1.37.0-alpha.10", "1.37.0-beta", "1.37.0", "https://dl.example.org/release/v1.37.1/bin", "1.37.2+build.7", "2.0.0"}
	for i := 1; i < len(ascending); i++ {
		a, errA := cluster.ParseVersion(ascending[i-1])
		b, errB := cluster.ParseVersion(ascending[i])
		if errA != nil || errB != nil || a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 {
			t.Errorf("%s is not before %s (%v, %v)", a, b, errA, errB)
		}
	}
	if v, err := cluster.ParseVersion("v1.37.2"); err != nil || v.String() != "1.37.2" {
		t.Errorf("v1.37.2 is %s, %v", v, err)
	}
	for _, bad := range []string{"", "1", "one", "1.37.x", "1.37.2.1", "v", "1.37.2-", "99999999999.1"} {
		if v, err := cluster.ParseVersion(bad); err == nil {
			t.Errorf("%q is accepted as %s", bad, v)
		}
	}
}
