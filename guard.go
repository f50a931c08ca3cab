package stateroom

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/stateroom/stateroom/cluster"
)

// A cluster whose configBase names another place than the one it lies in is
// most likely a plain copy of a store. Its documents may be looked at and
// edited. But its keys and what runs belong to the original: tools that follow
// configBase, as kops does, would write there, and a delete would delete there.
//
// A cluster that is created here in a directory has no configBase at all,
// which for kops and for us means "where the document lies". So such a store
// may be moved with its directory and stays whole.

// CopyError is the refusal to do to a copy what belongs to the original.
type CopyError struct {
	Cluster    cluster.Name
	Operation  string // "update cluster --yes"
	ConfigBase string // where the cluster says that it lies
	Place      string // where it does lie
}

func (e *CopyError) Error() string {
	return fmt.Sprintf("%s of %s is refused: its configBase names another place (%s) than the one it lies in (%s)",
		e.Operation, e.Cluster, e.ConfigBase, e.Place)
}

// Is makes a CopyError an fs.ErrPermission.
func (e *CopyError) Is(target error) bool { return target == fs.ErrPermission }

// Hint says what to do where the copy is to be the cluster from now on.
func (e *CopyError) Hint() string {
	return fmt.Sprintf("this looks like a copy; where it is to be the cluster from now on: stateroom edit cluster %s --unset spec.configBase", e.Cluster)
}

// copied returns the refusal for a cluster that is a plain copy, or nil.
func (s *Store) copied(c *cluster.Cluster, operation string) error {
	place := s.Place() + "/" + string(c.Name)
	if samePlace(c.ConfigBase(), place) {
		return nil
	}
	return &CopyError{Cluster: c.Name, Operation: operation, ConfigBase: c.ConfigBase(), Place: place}
}

// samePlace compares a configBase with where a cluster lies. Paths are the same
// where they lead to the same directory.
func samePlace(base, place string) bool {
	base, place = plainPlace(base), plainPlace(place)
	if base == "" || base == place {
		return true
	}
	if strings.Contains(base, "://") || strings.Contains(place, "://") {
		return false
	}
	a, errA := filepath.EvalSymlinks(base)
	b, errB := filepath.EvalSymlinks(place)
	return errA == nil && errB == nil && a == b
}

func plainPlace(s string) string {
	return strings.TrimRight(strings.TrimPrefix(s, "file://"), "/")
}

// warnings says what a person who edits a cluster should know of where it lies.
func (s *Store) warnings(c *cluster.Cluster) []string {
	if c == nil || s.copied(c, "") == nil {
		return nil
	}
	return []string{fmt.Sprintf("configBase names another place (%s): this looks like a copy, so only its documents can be changed", c.ConfigBase())}
}
