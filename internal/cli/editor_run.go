package cli

import (
	"fmt"
	"os/exec"
	"strings"
)

// runEditor opens a file in the person's editor and waits for it. It is not
// ended with us: what is typed in it would be lost.
func (env *Env) runEditor(file string) error {
	words, err := env.editor()
	if err != nil {
		return err
	}
	cmd := exec.Command(words[0], append(words[1:], file)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.Stdin, env.Stdout, env.Stderr
	if err := env.lend(cmd.Run); err != nil {
		return fmt.Errorf("run the editor %s: %w", words[0], err)
	}
	return nil
}

// lend runs a program that has the terminal to itself.
func (env *Env) lend(run func() error) error {
	if env.Lend == nil {
		return run()
	}
	return env.Lend(run)
}

// editor is the person's editor with its arguments.
func (env *Env) editor() ([]string, error) {
	for _, variable := range []string{"STATEROOM_EDITOR", "KUBE_EDITOR", "VISUAL", "EDITOR"} {
		words, ok := splitWords(env.Getenv(variable))
		if !ok {
			return nil, usagef("close it, as in "+variable+"='code --wait'", "%s: a quote that is not closed", variable)
		}
		if len(words) > 0 {
			return words, usable(variable, words)
		}
	}
	if !env.atTerminal() { // vi would fill a log with signs for a screen
		return nil, usagef("change fields with --set, or set EDITOR to a program that changes the file", "there is no terminal to edit in")
	}
	if path, err := exec.LookPath("vi"); err == nil {
		return []string{path}, nil
	}
	return nil, usagef("set EDITOR, or change fields with --set", "there is no editor")
}

// usable refuses an editor that cannot be started, and one that does not wait.
func usable(variable string, words []string) error {
	if err := mustWait(variable, words); err != nil {
		return err
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return advise(fmt.Errorf("run the editor %s: %w", words[0], err), "set %s to an editor that is installed, or change fields with --set", variable)
	}
	return nil
}

// splitWords splits a command at blanks; single and double quotes keep words
// together. A backslash is a character like others: it stands in paths.
func splitWords(command string) (words []string, ok bool) {
	var word strings.Builder
	var quote rune
	begun := false
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words, quote == 0
}
