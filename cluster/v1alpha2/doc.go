// Package v1alpha2 has kops.k8s.io/v1alpha2 as Go types: every field of the
// four kinds, what it does, and what is known of its values. It is the one
// place where that stands: the table that package cluster reads, and with it
// strictness, --set, merging, explain and schema, is generated from here.
//
// It holds types only, and imports nothing. Values of them can be read from a
// document and written as one:
//
//	var c v1alpha2.Cluster
//	err := json.Unmarshal(b, &c)
//
// Comments and order are lost on the way: to change a document in place, see
// packages doc and cluster.
//
// A text, number or boolean that is no pointer is one whose zero kops cannot
// tell from its absence: it leaves it out.
//
// Tags beside json say more of a field:
//
//	list       how lists merge: set, atomic, or map: and the fields that tell items apart
//	enum       the values there are, parted by |; of a list, of its items
//	format     the form of a text; see docs/formats/cluster-documents.md section 3
//	cloud      the clouds where alone the field means something, parted by |; any: all but hosts of one's own
//	default    the value that holds where the field is absent, as --set takes it
//	otherwise  instead of default: what holds then depends on other things, and is said in words
//	since      the version of kops that brought the field, where that is known
//	is         required: kops refuses a document without it; immutable: it cannot change later
package v1alpha2

//go:generate go test . -run TestTableIsCurrent -update
