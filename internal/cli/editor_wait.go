package cli

import (
	"path/filepath"
	"slices"
	"strings"
)

// waits are the editors that come back at once, with the flags that make them
// wait until the file is closed.
var waits = map[string][]string{
	"atom": {"--wait", "-w"}, "pulsar": {"--wait", "-w"},
	"bbedit": {"--wait", "-w"},
	"code":   {"--wait", "-w"}, "code-insiders": {"--wait", "-w"}, "codium": {"--wait", "-w"}, "vscodium": {"--wait", "-w"},
	"cursor": {"--wait", "-w"}, "windsurf": {"--wait", "-w"},
	"gedit": {"--wait", "-w"}, "xed": {"--wait", "-w"},
	"gvim": {"--nofork", "-f"}, "mvim": {"--nofork", "-f"},
	"idea": {"--wait"}, "goland": {"--wait"}, "pycharm": {"--wait"},
	"kate":  {"--block", "-b"},
	"lapce": {"--wait", "-w"},
	"mate":  {"--wait", "-w"},
	"open":  {"--wait-apps", "-W"},
	"subl":  {"--wait", "-w"},
	"zed":   {"--wait", "-w"}, "zeditor": {"--wait", "-w"},
}

// mustWait refuses an editor that is known to come back before anything is
// typed: what is typed then would go nowhere.
func mustWait(variable string, words []string) error {
	program := strings.ToLower(filepath.Base(words[0]))
	for _, ending := range []string{".exe", ".cmd"} {
		program = strings.TrimSuffix(program, ending)
	}
	flags, known := waits[program]
	if !known || slices.ContainsFunc(words[1:], func(word string) bool { return asks(word, flags) }) {
		return nil
	}
	with := append(slices.Clone(words), flags[0])
	return usagef("set "+variable+"='"+strings.Join(with, " ")+"'", "%s=%s comes back before you have typed anything", variable, strings.Join(words, " "))
}

// asks reports whether a word on the command line is one of the flags, or, as
// in -nw, holds a short one.
func asks(word string, flags []string) bool {
	return slices.ContainsFunc(flags, func(flag string) bool {
		short := len(flag) == 2 && len(word) > 1 && word[0] == '-' && word[1] != '-'
		return word == flag || short && strings.Contains(word, flag[1:])
	})
}
