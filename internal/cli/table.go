package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// table is rows under a header, in columns. On a screen, the widest columns
// are cut until it fits.
type table struct {
	header []string
	rows   [][]string
}

// add appends a row; what others wrote is cleaned, and nothing shows as "-".
func (t *table) add(cells ...string) {
	for i, c := range cells {
		if cells[i] = clean(c); cells[i] == "" {
			cells[i] = "-"
		}
	}
	t.rows = append(t.rows, cells)
}

// whole are the columns that are never cut: half a name or a time is of no use.
var whole = []string{"NAME", "HOST", "COMMIT", "WHEN", "REPORTED", "STARTED", "LAST", "ISSUED", "EXPIRES", "TIME", "PID", "TIMES", "STATE"}

const (
	columnGap    = 2
	columnLeast  = 8 // no column is cut to less
	columnMarker = "…"
)

// write prints the table; width is that of the screen, 0 where there is none.
func (t *table) write(w io.Writer, width int) error {
	lines := append([][]string{t.header}, t.rows...)
	columns := make([]int, len(t.header))
	for _, line := range lines {
		for i, cell := range line {
			columns[i] = max(columns[i], utf8.RuneCountInString(cell))
		}
	}
	if width > 0 {
		t.shrink(columns, width)
	}
	for _, line := range lines {
		var out strings.Builder
		for i, cell := range line {
			cell = cut(cell, columns[i])
			out.WriteString(cell)
			out.WriteString(strings.Repeat(" ", columns[i]-utf8.RuneCountInString(cell)+columnGap))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(out.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// shrink narrows the widest columns until all fit, or none can be narrowed.
func (t *table) shrink(columns []int, width int) {
	total := columnGap * (len(columns) - 1)
	for _, c := range columns {
		total += c
	}
	for ; total > width; total-- {
		widest := -1
		for i, c := range columns {
			if c > columnLeast && !slices.Contains(whole, t.header[i]) && (widest < 0 || c > columns[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		columns[widest]--
	}
}

func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + columnMarker
}
