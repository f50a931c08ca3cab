package cluster

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is a Kubernetes version.
type Version struct {
	Major, Minor, Patch int
	Pre                 string // "beta.1", or "" for a release
}

var (
	versionText = regexp.MustCompile(`^v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$`)
	versionURL  = regexp.MustCompile(`/v(1\.[0-9]{1,4}\.[0-9]{1,4})(?:-([0-9A-Za-z.-]+))?(?:[/+]|$)`)
)

// ParseVersion reads 1.37.2, v1.37.2, 1.37, 1.38.0-beta.1, or a URL of a build
// that contains /v1.37.2/.
func ParseVersion(s string) (Version, error) {
	m := versionText.FindStringSubmatch(s)
	if m == nil {
		if u := versionURL.FindStringSubmatch(s); u != nil {
			text := u[1]
			if u[2] != "" {
				text += "-" + u[2]
			}
			m = versionText.FindStringSubmatch(text)
		}
	}
	if m == nil {
		return Version{}, fmt.Errorf("%q is no Kubernetes version such as 1.37.2", shorten(s))
	}
	v := Version{Pre: m[4]}
	v.Major, _ = strconv.Atoi(m[1]) // at most four digits each
	v.Minor, _ = strconv.Atoi(m[2])
	v.Patch, _ = strconv.Atoi(m[3])
	return v, nil
}

// String is the version without a v: 1.37.2.
func (v Version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Pre != "" {
		s += "-" + v.Pre
	}
	return s
}

// Compare orders versions as semver does: negative where v comes before w.
func (v Version) Compare(w Version) int {
	if c := cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch)); c != 0 {
		return c
	}
	switch {
	case v.Pre == w.Pre:
		return 0
	case v.Pre == "":
		return 1
	case w.Pre == "":
		return -1
	}
	return comparePre(strings.Split(v.Pre, "."), strings.Split(w.Pre, "."))
}

// comparePre orders pre-releases: numbers by value and before words, a prefix
// before what is longer.
func comparePre(a, b []string) int {
	for i := range min(len(a), len(b)) {
		x, errX := strconv.Atoi(a[i])
		y, errY := strconv.Atoi(b[i])
		c := strings.Compare(a[i], b[i])
		switch {
		case errX == nil && errY == nil:
			c = cmp.Compare(x, y)
		case errX == nil:
			c = -1
		case errY == nil:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
