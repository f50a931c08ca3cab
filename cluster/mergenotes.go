package cluster

import (
	"fmt"

	"github.com/stateroom/stateroom/doc"
)

// ConflictNotes say conflicts at their lines, to the person whose document it
// is: one note each. by is who made the other change, as in "Grace, commit 7".
func ConflictNotes(conflicts []Conflict, by string) []doc.Note {
	notes := make([]doc.Note, len(conflicts))
	for i, c := range conflicts {
		path := c.Path
		if path == "" {
			notes[i] = doc.Note{Line: c.Line, Text: "conflict: you and " + by + " both changed the document, and the two cannot be brought together" +
				"\nto lay yours over the other, remove this comment about the document; to give up, leave all as it is"}
			continue
		}
		text := fmt.Sprintf("conflict: %s was %s, you made it %s, and meanwhile %s", path, sideText(c.Base), sideText(c.Ours), by)
		if c.Theirs.Present {
			text += " made it " + sideText(c.Theirs)
		} else {
			text += " removed it"
		}
		if c.Ours.Present {
			text += fmt.Sprintf("\nto keep yours, remove this comment about %s; else change it", path)
		} else {
			text += fmt.Sprintf("\nto leave it out, remove this comment about %s; else write it again", path)
		}
		notes[i] = doc.Note{Line: c.Line, Text: text}
	}
	return notes
}

// sideText is what a side holds, briefly.
func sideText(s doc.Side) string {
	if !s.Present {
		return "absent"
	}
	const most = 200
	text := []rune(s.String())
	if len(text) > most {
		return string(text[:most]) + "..."
	}
	return string(text)
}

// ProblemNotes say problems at their lines; those of other files than the one
// that is shown are said at the top, with their file.
func ProblemNotes(file string, problems []Problem) []doc.Note {
	notes := make([]doc.Note, len(problems))
	for i, p := range problems {
		if p.File == file && p.Line > 0 {
			notes[i].Line = p.Line
			p.File, p.Line = "", 0
		}
		notes[i].Text = p.String()
	}
	return notes
}
