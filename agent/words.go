package agent

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/bundle"
)

// How much of what a program printed is looked at, and handed on.
const (
	wordsRead  = 64 << 10 // bytes
	wordsLines = 3
	wordsWidth = 600 // bytes of one line
)

// The weight of a line: what a program says when it gives up, then what it
// calls an error, then a warning, then anything. The patterns are those of the
// programs that run here: klog (E1122 …, F1122 …), zap's JSON as in etcd, Go's
// runtime and the flag packages.
var (
	fatalLine   = regexp.MustCompile(`(?i)^(error|fatal|panic|fatal error)\b[^:]*: |^F\d{4} |"level":"(fatal|panic)"|"command failed"`)
	errorLine   = regexp.MustCompile(`^E\d{4} |"level":"error"|level=error|(?i)\berror\b|\bfailed\b`)
	warningLine = regexp.MustCompile(`^W\d{4} |"level":"warn"|level=warn`)
	noiseLine   = regexp.MustCompile(`^goroutine \d+|^created by |^\t|^\S+\(.*\)$|^\[signal |^(Usage|Flags|Examples?):|^\s+(-\w|--\w)|^exit status \d+$`)
)

// klogError is a structured message of klog with an error: both are quoted,
// and read better without.
var klogError = regexp.MustCompile(`^[IWEF]\d{4} [^\]]*\] ("(?:[^"\\]|\\.)*") err=("(?:[^"\\]|\\.)*")(.*)$`)

// plain returns a line as a person would say it.
func plain(line string) string {
	m := klogError.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	message, err := strconv.Unquote(m[1])
	cause, err2 := strconv.Unquote(m[2])
	if err != nil || err2 != nil {
		return line
	}
	return message + ": " + cause + m[3]
}

// klogHead is what klog puts before its message; it differs from line to line.
var klogHead = regexp.MustCompile(`^[IWEF]\d{4} [^\]]*\] `)

// lastWords picks from the end of what a program printed the lines that say
// why it ended or does not come up: the last of the heaviest kind, and what it
// said of that kind just before.
func lastWords(printed string) string {
	var kept, said []string
	best := -1
	for _, l := range slices.Backward(strings.Split(printed, "\n")) {
		l = strings.TrimRight(l, " \r")
		l = strings.ToValidUTF8(l[:min(len(l), wordsWidth)], "")
		w, text := weight(l), klogHead.ReplaceAllString(l, "")
		switch {
		case w < 0 || slices.Contains(said, text):
			continue
		case w > best:
			best, kept, said = w, []string{plain(l)}, []string{text}
		case w == best && len(kept) < wordsLines:
			kept, said = append(kept, plain(l)), append(said, text)
		}
	}
	slices.Reverse(kept)
	return bundle.LastWords(strings.Join(kept, "\n"))
}

func weight(line string) int {
	switch {
	case strings.TrimSpace(line) == "" || noiseLine.MatchString(line):
		return -1
	case fatalLine.MatchString(line):
		return 3
	case errorLine.MatchString(line):
		return 2
	case warningLine.MatchString(line):
		return 1
	}
	return 0
}
