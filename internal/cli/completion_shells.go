package cli

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"
)

// bashScript is the script for bash. The generated one leaves finding the words
// of the line, and files, to the package bash-completion; where that is not
// installed, as on a fresh machine, each press of the key would print that a
// command is not found.
func bashScript(root *cobra.Command) (string, error) {
	var b bytes.Buffer
	err := root.GenBashCompletionV2(&b, true)
	return strings.ReplaceAll(b.String(), "_filedir", "__stateroom_filedir") + bashWords, err
}

const bashWords = `
__stateroom_init_completion()
{
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    if [[ $line == *[[:space:]] ]]; then
        words+=("")
    fi
    cword=$((${#words[@]} - 1))
    cur=${words[cword]}
    prev=${words[cword - 1]}
}

__stateroom_filedir()
{
    if declare -F _filedir >/dev/null; then
        _filedir "$@"
        return
    fi
    compopt -o filenames 2>/dev/null
    local found
    while IFS= read -r found; do
        if [[ -d $found || -z ${1-} || "|${1-}" == *"|${found##*.}|"* ]]; then
            COMPREPLY+=("$found")
        fi
    done < <(compgen -f -- "$cur")
}
`

// fishScript is the script for fish. The generated one takes a candidate that
// begins with a flag, as behind --set=, for a flag of a command of its own.
func fishScript(root *cobra.Command) (string, error) {
	var b bytes.Buffer
	err := root.GenFishCompletion(&b, true)
	return strings.ReplaceAll(b.String(), `string split --max 1 \t `, `string split --max 1 -- \t `), err
}
