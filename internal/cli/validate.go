package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
)

type validateFilesOptions struct {
	output
	files []string
}

// asGitHub is the form of problems that GitHub shows beside the lines of a pull
// request.
const asGitHub = "github"

func validateCmd(env *Env) *cobra.Command {
	var opt validateFilesOptions
	cmd := verb("validate", "Check that what is released runs, or documents in files", validateClusterCmd(env))
	cmd.Long = `Check that what is released runs (validate cluster), or, with -f, check documents
that lie in no store: against the schema, and those of a cluster against each
other, from however many files. All that is wrong is told at once, a line each,
FILE:LINE:COLUMN: FIELD: what (what to do), and the exit code is 6. No store is
needed. With --draft, check whether the draft is valid and could be published
now, as validate cluster --draft does.`
	cmd.Example = "  stateroom validate -f cluster.yaml -f nodes.yaml\n  stateroom validate --draft raise-quota\n  kops get all -o yaml | stateroom validate -f - -o json\n" + cmd.Example
	what := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		files := cmd.Flags().Changed("filename")
		switch {
		case files && env.draft != "":
			return usagef("leave one of them out", "-f checks files, and --draft a draft in the store")
		case files:
			return runValidateFiles(cmd.Context(), env, opt)
		case env.draft != "":
			if opt.format == asGitHub {
				return usagef("-o text|json", "-o github is for the lines of files, and a draft has none")
			}
			return runValidateCluster(cmd.Context(), env, validateOptions{output: opt.output}, nil)
		}
		return what(cmd, args)
	}
	cmd.Flags().StringArrayVarP(&opt.files, "filename", "f", nil, "a file of documents; - is standard input; may be given several times")
	opt.flag(cmd.Flags(), "text", asJSON, asGitHub)
	return cmd
}

func runValidateFiles(ctx context.Context, env *Env, opt validateFilesOptions) error {
	var texts []stateroom.Text
	for i, name := range opt.files {
		if name == "" {
			return usagef("is a variable of the shell not set?", "--filename number %d is empty", i+1)
		}
		b, err := env.readFile(ctx, name)
		if err != nil {
			return err
		}
		texts = append(texts, stateroom.Text{Name: name, Bytes: b})
	}
	checked := stateroom.CheckFiles(texts)
	if err := showChecked(env.Stdout, opt, checked); err != nil {
		return err
	}
	for _, g := range checked.Alone {
		env.sayf("warning: instance group %s was checked by itself: the document of its cluster is not among the files", g)
	}
	if len(checked.Problems) > 0 {
		return &problemsError{checked}
	}
	return nil
}

// problemsError ends a check that has told its problems already.
type problemsError struct{ checked *stateroom.FilesCheck }

func (e *problemsError) Error() string {
	files := map[string]bool{}
	for _, p := range e.checked.Problems {
		files[p.File] = true
	}
	return fmt.Sprintf("%s in %s", counted(len(e.checked.Problems), "problem"), counted(len(files), "file"))
}

// Unwrap gives all of them, as other commands do.
func (e *problemsError) Unwrap() error { return e.checked.Err() }

// Hint says where fields are explained.
func (e *problemsError) Hint() string {
	for _, p := range e.checked.Problems {
		if strings.HasPrefix(p.Path, "spec.") {
			return "stateroom explain " + p.Path + " says what a field does"
		}
	}
	return ""
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// problemView is a problem as programs read it.
type problemView struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// checkedView is docs/formats/cluster-documents.md section 8.
type checkedView struct {
	Valid     bool           `json:"valid"`
	Documents int            `json:"documents"`
	Clusters  []cluster.Name `json:"clusters"`
	Problems  []problemView  `json:"problems"`
}

func showChecked(w io.Writer, opt validateFilesOptions, checked *stateroom.FilesCheck) error {
	switch opt.format {
	case asJSON:
		v := checkedView{Valid: len(checked.Problems) == 0, Documents: checked.Documents, Clusters: append([]cluster.Name{}, checked.Clusters...), Problems: []problemView{}}
		for _, p := range checked.Problems {
			v.Problems = append(v.Problems, problemView{p.File, p.Line, p.Col, p.Path, p.Message, p.Hint})
		}
		return writeJSON(w, v)
	case asGitHub:
		return showAnnotations(w, checked.Problems)
	}
	for _, p := range checked.Problems {
		if _, err := fmt.Fprintln(w, clean(p.String())); err != nil {
			return err
		}
	}
	if len(checked.Problems) > 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: valid\n", counted(checked.Documents, "document"))
	return err
}

// showAnnotations prints problems as workflow commands of GitHub.
func showAnnotations(w io.Writer, problems []cluster.Problem) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, p := range problems {
		place := "file=" + property.Replace(clean(p.File))
		if p.Line > 0 {
			place += fmt.Sprintf(",line=%d,col=%d", p.Line, p.Col)
		}
		if p.Path != "" {
			place += ",title=" + property.Replace(clean(p.Path))
		}
		text := p.Message
		if p.Hint != "" {
			text += " (" + p.Hint + ")"
		}
		if _, err := fmt.Fprintf(w, "::error %s::%s\n", place, message.Replace(clean(text))); err != nil {
			return err
		}
	}
	return nil
}
