package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stateroom/stateroom"
	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// fullHelp says in the help of get cluster and get instancegroups what --full
// shows.
const fullHelp = `

--full shows also what is not set and has a default, with where the default is
from: kops, or, on plain hosts, what Stateroom runs them with. Defaults that are
one value are fields with a comment behind; those that depend on other things are
comments. With -o json it is a list of all fields: path, value, default, origin
(set, kops, stateroom), and for what is set the line and the commit.

Left out are fields without a known default, and those of objects that the document
does not have: stateroom explain cluster.spec.kubelet lists such.`

// fullFlag is the flag --full of commands that show documents.
type fullFlag struct{ full bool }

func (f *fullFlag) fullFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.full, "full", false, "defaults, too, with where each is from: -o yaml (if nothing is said), or json")
}

// choose is the format of --full: YAML, where none was asked for.
func (f *fullFlag) choose(cmd *cobra.Command, o *output) error {
	if !f.full {
		return nil
	}
	if !cmd.Flags().Changed("output") {
		o.format = asYAML
	}
	if o.format != asYAML && o.format != asJSON {
		return usagef("--full -o yaml, or --full -o json", "--full is not shown as %s", o.format)
	}
	return nil
}

// fullDocument is a document that can show its defaults.
type fullDocument interface {
	Full() []cluster.Setting
	FullText() ([]byte, error)
}

// settingView is a field with its value or default, as programs read it.
type settingView struct {
	File    string         `json:"file"`
	Path    string         `json:"path"`
	Value   any            `json:"value"`             // null: not set, and the default is no single value
	Default string         `json:"default,omitempty"` // in words
	Origin  cluster.Origin `json:"origin"`
	Line    int            `json:"line,omitempty"`   // of what is set
	Commit  int            `json:"commit,omitempty"` // with which that line came
}

// fullFile is a document and its name.
type fullFile struct {
	name     string
	document *doc.Document
	full     fullDocument
}

// showFull prints documents with their defaults.
func (env *Env) showFull(ctx context.Context, o output, s *stateroom.Store, name cluster.Name, files []fullFile) error {
	if o.format == asYAML {
		var texts [][]byte
		for _, f := range files {
			text, err := f.full.FullText()
			if err != nil {
				return err
			}
			texts = append(texts, text)
		}
		return writeDocuments(env.Stdout, texts)
	}
	views := []settingView{}
	for _, f := range files {
		blamed, err := s.Blame(ctx, name, f.name)
		if err != nil {
			return err
		}
		for _, setting := range f.full.Full() {
			views = append(views, viewSetting(f, setting, blamed))
		}
	}
	return writeJSON(env.Stdout, views)
}

func viewSetting(f fullFile, s cluster.Setting, blamed []stateroom.BlameLine) settingView {
	v := settingView{File: f.name, Path: doc.PathString(s.Path), Value: s.Value, Default: s.Default, Origin: s.Origin}
	if s.Origin != cluster.OriginSet {
		if !s.Known {
			v.Value = nil
		}
		return v
	}
	v.Line, _ = f.document.Position(s.Path...)
	if v.Line >= 1 && v.Line <= len(blamed) && blamed[v.Line-1].Commit != nil {
		v.Commit = blamed[v.Line-1].Commit.Number
	}
	return v
}
