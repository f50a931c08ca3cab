package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/store"
)

// BlameLine is a line of a file and the commit that it came with.
type BlameLine struct {
	Commit *store.Commit
	Number int // of the line, from 1
	Text   string
}

// Blame says of each line of a file in the newest commit, with which commit it
// came. Secrets are not shown. What another tool wrote came with the commit
// that imported it.
func (s *Store) Blame(ctx context.Context, name cluster.Name, file string) ([]BlameLine, error) {
	if Secret(file) {
		return nil, &secretError{file}
	}
	head, err := s.headOf(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, ok := head.Commit().Files[file]; !ok || hidden(file) {
		return nil, &MissingError{What: "file", Name: file, hint: "stateroom blame cluster, blame instancegroup NAME, or a file of the cluster as stateroom log -o wide names them"}
	}
	commits, err := s.changesOf(ctx, name, file, head.Commit().Number)
	if err != nil {
		return nil, err
	}
	var blamed []BlameLine
	for _, c := range commits {
		sn, err := s.store.Cluster(string(name)).At(ctx, strconv.Itoa(c.Number))
		if err != nil {
			return nil, err
		}
		b, err := sn.ReadFile(ctx, file)
		if gone := new(store.GoneError); errors.As(err, &gone) {
			continue // its lines came at the latest with the next commit that is left
		}
		if errors.Is(err, fs.ErrNotExist) {
			blamed = nil // deleted: what comes later begins anew
			continue
		}
		if err != nil {
			return nil, err
		}
		blamed = carry(blamed, splitLines(string(b)), c)
	}
	for i := range blamed {
		blamed[i].Number = i + 1
	}
	return blamed, nil
}

// changesOf are the commits up to the last that changed a file, the oldest first.
func (s *Store) changesOf(ctx context.Context, name cluster.Name, file string, last int) ([]*store.Commit, error) {
	var commits []*store.Commit
	for c, err := range s.Log(ctx, name) {
		if err != nil {
			return nil, err
		}
		if c.Number <= last && slices.ContainsFunc(c.Changed, func(ch store.Changed) bool { return ch.Name == file }) {
			commits = append(commits, c)
		}
	}
	slices.Reverse(commits)
	return commits, nil
}

type secretError struct{ file string }

func (e *secretError) Error() string        { return fmt.Sprintf("%s is a secret, and not shown", e.file) }
func (e *secretError) Is(target error) bool { return target == fs.ErrPermission }
func (e *secretError) Hint() string         { return "stateroom log -o wide shows which commits changed it" }

func splitLines(s string) []string {
	lines := strings.Split(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// maxCells bounds the table by which two versions of a file are compared;
// beyond, what lies between their common beginning and end counts as new.
const maxCells = 25_000_000

// carry blames the lines of a version: those of the version before keep their
// commit, the others came with c.
func carry(before []BlameLine, lines []string, c *store.Commit) []BlameLine {
	after := make([]BlameLine, len(lines))
	for i, line := range lines {
		after[i] = BlameLine{Commit: c, Text: line}
	}
	n, m := len(before), len(lines)
	top := 0
	for top < n && top < m && before[top].Text == lines[top] {
		after[top] = before[top]
		top++
	}
	for n > top && m > top && before[n-1].Text == lines[m-1] {
		n--
		m--
		after[m] = before[n]
	}
	if (n-top)*(m-top) > maxCells {
		return after
	}
	common(before[top:n], after[top:m])
	return after
}

// common lets the lines of after that are in a longest common subsequence keep
// the commit they have in before.
func common(before, after []BlameLine) {
	n, m := len(before), len(after)
	longest := make([][]int32, n+1) // of before[i:] and after[j:]
	for i := range longest {
		longest[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if before[i].Text == after[j].Text {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case before[i].Text == after[j].Text:
			after[j] = before[i]
			i++
			j++
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
}
