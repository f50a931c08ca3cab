package stateroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	var blamed []BlameLine
	var version []string     // of the file, and
	var commit *store.Commit // with which it came, the oldest seen so far
	var at []int             // of each line: where it stands in the version; below 0: it is blamed
	for sn, err := range head.Changes(ctx, file) {
		var b []byte
		if err == nil {
			b, err = sn.ReadFile(ctx, file)
		}
		if gone := new(store.GoneError); errors.As(err, &gone) {
			continue // its lines came at the latest with the next commit that is left
		}
		if errors.Is(err, fs.ErrNotExist) {
			break // deleted: what came later began anew
		}
		if err != nil {
			return nil, err
		}
		lines := splitLines(string(b))
		if commit == nil {
			for i, line := range lines {
				blamed, at = append(blamed, BlameLine{Number: i + 1, Text: line}), append(at, i)
			}
		} else if !blame(blamed, at, match(lines, version), commit) {
			return blamed, nil
		}
		version, commit = lines, sn.Commit()
	}
	blame(blamed, at, match(nil, version), commit)
	return blamed, nil
}

// blame says that the lines came with a commit which the version before it has
// not, and follows the others there. It reports whether there are any.
func blame(lines []BlameLine, at, before []int, c *store.Commit) (left bool) {
	for i, j := range at {
		if j < 0 {
			continue
		}
		if at[i] = before[j]; at[i] < 0 {
			lines[i].Commit = c
		}
		left = left || at[i] >= 0
	}
	return left
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

// match says of each line of a version which line of the one before it was;
// -1: none.
func match(before, after []string) []int {
	of := make([]int, len(after))
	for j := range of {
		of[j] = -1
	}
	n, m := len(before), len(after)
	top := 0
	for top < n && top < m && before[top] == after[top] {
		of[top] = top
		top++
	}
	for n > top && m > top && before[n-1] == after[m-1] {
		n--
		m--
		of[m] = n
	}
	if (n-top)*(m-top) <= maxCells {
		common(before[top:n], after[top:m], of[top:m], top)
	}
	return of
}

// common finds the lines that are in a longest common subsequence. The first of
// before has number first.
func common(before, after []string, of []int, first int) {
	n, m := len(before), len(after)
	longest := make([][]int32, n+1) // of before[i:] and after[j:]
	for i := range longest {
		longest[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if before[i] == after[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case before[i] == after[j]:
			of[j] = first + i
			i++
			j++
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
}
