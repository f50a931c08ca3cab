package cli

import (
	"fmt"
	"strings"
	"time"
)

// progress shows how far something is that takes a while: on a screen as one
// line that changes, elsewhere as a line now and then. It goes to standard
// error, beside the result.
type progress struct {
	env    *Env
	screen bool
	step   string
	shown  time.Time
	length int // of the line on the screen; 0: none
}

func (env *Env) newProgress() *progress {
	return &progress{env: env, screen: terminal(env.Stderr) && env.Getenv("TERM") != "dumb"}
}

// How often a line changes on a screen, and comes again elsewhere.
const (
	screenEvery = 100 * time.Millisecond
	lineEvery   = 10 * time.Second
)

// at says that a step is done so far, of a total that is 0 where it is not
// known.
func (p *progress) at(step string, done, total int64) {
	now := p.env.Now()
	every := lineEvery
	if p.screen {
		every = screenEvery
	}
	if step == p.step && now.Sub(p.shown) < every {
		return
	}
	p.step, p.shown = step, now
	if p.screen {
		p.redraw(step + measure(done, total, true))
		return
	}
	p.env.sayf("%s%s", step, measure(done, total, false))
}

// say ends the changing line and prints one that stays.
func (p *progress) say(format string, args ...any) {
	p.done()
	p.env.sayf(format, args...)
}

// done clears the changing line.
func (p *progress) done() {
	if p.length > 0 {
		p.redraw("")
		fmt.Fprint(p.env.Stderr, "\r")
		p.length = 0
	}
	p.step = ""
}

func (p *progress) redraw(line string) {
	line = cut(clean(line), columnsOf(p.env.Stderr, 80)-1)
	fmt.Fprint(p.env.Stderr, "\r"+line+strings.Repeat(" ", max(0, p.length-len(line))))
	p.length = len(line)
}

// measure is how far something is, for people.
func measure(done, total int64, bar bool) string {
	switch {
	case done == 0 && total == 0:
		return ""
	case total == 0:
		return fmt.Sprintf(" (%d)", done)
	}
	percent := min(100*done/total, 100)
	if !bar {
		return fmt.Sprintf(" (%d%%)", percent)
	}
	const cells = 24
	full := int(cells * percent / 100)
	return fmt.Sprintf(" [%s%s] %d%%", strings.Repeat("#", full), strings.Repeat(" ", cells-full), percent)
}
