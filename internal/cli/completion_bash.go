package cli

// bashWords replaces how the generated script finds the words of the line. The
// script leaves that to the package bash-completion, and where it is not
// installed, as on a fresh machine, each press of the key would print that a
// command is not found.
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
`
