// Package store keeps clusters: each a set of plain files with a history of
// commits beside them, on anything that a vfs.FS can hold. It moves bytes and
// knows nothing of what is in them.
//
// A commit is one object that is put if absent: a log record, which holds the
// new bytes of every file it changes. After it the plain files are brought up
// to it, then the head. Whoever finds that unfinished, finishes it. Other tools
// may write the plain files; what they write is never lost. There are no locks.
// The rules are docs/formats/store-layout.md and log-record.md.
//
// The usual calls:
//
//	s, err := store.Open(ctx, f, store.Options{Author: "Ada <ada@example.com>"})
//	snapshot, err := s.Cluster("demo.example.com").Head(ctx)
//	snapshot, err = s.Cluster("demo.example.com").Update(ctx, "raise the quota", func(tx *store.Tx) error {
//		b, err := tx.ReadFile(ctx, "config")
//		…
//		tx.WriteFile("config", b)
//		return nil
//	})
package store
