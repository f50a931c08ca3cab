package cli

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// terminal reports whether w leads to a person's screen.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is how many columns a table may have; 0: as many as it likes.
func (env *Env) width() int {
	if n, err := strconv.Atoi(env.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return columnsOf(env.Stdout, 0)
}

// columnsOf is how wide the screen is that w leads to, or what is given where
// that is none.
func columnsOf(w io.Writer, otherwise int) int {
	if !terminal(w) {
		return otherwise
	}
	n, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil || n <= 0 {
		return otherwise
	}
	return n
}

// next tells a person at a terminal what they may want to do now. Programs and
// logs do without.
func (env *Env) next(format string, args ...any) {
	if terminal(env.Stderr) {
		env.sayf("hint: "+format, args...)
	}
}

// A color is an ANSI code of a foreground.
type color string

const (
	red    color = "31"
	green  color = "32"
	yellow color = "33"
	cyan   color = "36"
)

// paint colors text for a screen that wants it.
func (env *Env) paint(w io.Writer, c color, text string) string {
	if !terminal(w) || env.Getenv("NO_COLOR") != "" || env.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}
