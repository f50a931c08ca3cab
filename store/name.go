package store

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

const (
	maxName      = 255 // bytes of a file's name
	meta         = ".stateroom"
	releaseFile  = meta + "/release"
	configFile   = "config"
	backupFolder = "backups/"
)

// CheckName says why a snapshot cannot hold a file of this name, or nil. The
// rules are those of git, which reads the log: docs/formats/log-record.md.
func CheckName(name string) error {
	if why := badName(name); why != "" {
		return fmt.Errorf("name %s %s: %w", quote(name), why, fs.ErrInvalid)
	}
	return nil
}

func badName(name string) string {
	switch {
	case !fs.ValidPath(name) || name == "." || strings.Contains(name, "\x00"):
		return "is not a valid path"
	case len(name) > maxName:
		return "is too long"
	}
	for rest := name; ; {
		i := strings.IndexAny(rest, `/\`)
		if i < 0 {
			i = len(rest)
		}
		if gitName(rest[:i]) {
			return "is one that git keeps for itself"
		}
		if i == len(rest) {
			return ""
		}
		rest = rest[i+1:]
	}
}

// gitName reports whether some git on some file system takes an element of a
// path for one of its own: it ignores case, and invisible characters on a Mac,
// and on Windows knows short names such as git~1.
func gitName(element string) bool {
	if c := element + " "; c[0] >= 'a' && c[0] <= 'z' && c[0] != 'g' {
		return false // nearly all
	}
	s := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, element)
	if !strings.HasPrefix(s, "gi") {
		return strings.HasPrefix(s, ".git")
	}
	for i := range len(s) - 1 {
		if s[i] == '~' && s[i+1] >= '0' && s[i+1] <= '9' {
			return true
		}
	}
	return false
}

// checkCluster says why a cluster cannot have this name, or nil.
func checkCluster(name string) error {
	if badName(name) != "" || strings.ContainsAny(name, "/\\") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("cluster name %s: %w", quote(name), fs.ErrInvalid)
	}
	return nil
}

// folderOfAnother returns a name among names that is a folder of another, and
// that other; or "". The names are sorted.
func folderOfAnother(names []string) (folder, file string) {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	for _, n := range names {
		for i, c := range n {
			if c == '/' && set[n[:i]] {
				return n[:i], n
			}
		}
	}
	return "", ""
}

// hidden reports whether a name of a snapshot has no plain file.
func hidden(name string) bool { return strings.HasPrefix(name, meta+"/") }

// tracked reports whether a plain file of this name belongs to the state:
// docs/formats/store-layout.md.
func tracked(name string) bool {
	if rest, ok := strings.CutPrefix(name, backupFolder); ok {
		cluster, ok := strings.CutSuffix(rest, "/control/etcd-cluster-spec")
		cluster, etcd := strings.CutPrefix(cluster, "etcd/")
		return ok && etcd && cluster != "" && !strings.Contains(cluster, "/")
	}
	return !hidden(name) && !temporary(name)
}

// temporary reports whether a name is one of those that kops leaves behind on
// a disk: "tmp" and digits.
func temporary(name string) bool {
	digits, ok := strings.CutPrefix(name[strings.LastIndexByte(name, '/')+1:], "tmp")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// keyed reports whether a name stands for a secret: a plain digest of it could
// be guessed.
func keyed(name string) bool {
	return strings.HasPrefix(name, "secrets/") || strings.HasPrefix(name, "pki/private/")
}
