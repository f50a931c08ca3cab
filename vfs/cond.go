package vfs

// Cond is the condition under which a write is done. The zero value is none:
// the write is always done.
type Cond struct {
	kind    condKind
	version Version
}

type condKind uint8

const (
	always condKind = iota
	ifAbsent
	ifVersion
)

// IfAbsent holds where there is no object at the key: create only.
func IfAbsent() Cond { return Cond{kind: ifAbsent} }

// IfVersion holds where the object is at version v.
func IfVersion(v Version) Cond { return Cond{kind: ifVersion, version: v} }

// IsZero reports whether c is no condition.
func (c Cond) IsZero() bool { return c.kind == always }

// Absent reports whether c is [IfAbsent].
func (c Cond) Absent() bool { return c.kind == ifAbsent }

// Version returns the version of an [IfVersion].
func (c Cond) Version() (Version, bool) { return c.version, c.kind == ifVersion }

// Holds reports whether a write is to be done to a key that has an object at
// version v, or has none. It is for drivers of services without conditions.
func (c Cond) Holds(exists bool, v Version) bool {
	switch c.kind {
	case ifAbsent:
		return !exists
	case ifVersion:
		return exists && v == c.version && v != ""
	default:
		return true
	}
}

// String says the condition as in "put config if absent".
func (c Cond) String() string {
	switch c.kind {
	case ifAbsent:
		return "if absent"
	case ifVersion:
		return "if version " + string(c.version)
	default:
		return "always"
	}
}
