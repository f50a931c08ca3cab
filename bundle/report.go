package bundle

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a report.
const (
	MaxReport    = 64 << 10 // bytes, encoded
	MaxLastWords = 2 << 10  // bytes
	maxName      = 253
	maxServices  = 64
	maxReason    = 512
	maxDrift     = 16
	maxWhat      = 126
)

// ReportEvery is how often a node reports at least; also where nothing changes,
// so that one that does not can be told from one that is well.
const ReportEvery = time.Hour

// A Report is what a node says of itself. It is untrusted: whoever holds the
// node wrote it, so both Encode and DecodeReport clean and cap every text.
type Report struct {
	Node         string          `json:"node"`
	Group        string          `json:"group"`
	Address      string          `json:"address,omitempty"`
	Time         time.Time       `json:"time"`             // by the node's clock, whole seconds
	Commit       int             `json:"commit,omitempty"` // of the release in force on the node; 0: none yet
	Digest       Digest          `json:"digest,omitempty"` // of the bundle in force on the node
	Phase        string          `json:"phase"`
	Failed       *Failure        `json:"failed,omitempty"` // the last bundle that did not work
	Services     []ServiceStatus `json:"services,omitempty"`
	AgentVersion string          `json:"agentVersion,omitempty"`
	Drift        []Drift         `json:"drift,omitempty"` // put right, the newest first
}

// Phases of a node.
const (
	PhaseConverging = "converging" // on the way to a new bundle
	PhaseReady      = "ready"      // every probe says ready
	PhaseConfirmed  = "confirmed"  // and did so a while later: last known good
	PhaseFailed     = "failed"     // a bundle did not work; the node went back, or had nowhere to go back to
	PhaseDegraded   = "degraded"   // what was good stopped being so
)

// A Failure says which bundle failed, and why in the component's own words.
type Failure struct {
	Commit    int    `json:"commit"`
	Digest    Digest `json:"digest"`
	Service   string `json:"service,omitempty"`
	Reason    string `json:"reason"`
	LastWords string `json:"lastWords,omitempty"` // the end of what the service printed
}

// A ServiceStatus is one process of a node.
type ServiceStatus struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"` // whole seconds
	State   string    `json:"state"`            // as the agent calls it: running, ready, stopped, ...
}

// Kinds of drift.
const (
	DriftFile    = "file"
	DriftLink    = "link"
	DriftService = "service"
)

// A Drift is something of a node that was not as it should be, and was put
// right.
type Drift struct {
	Kind  string    `json:"kind"`
	Name  string    `json:"name"`  // a path in the set, or a service
	What  string    `json:"what"`  // had become of it
	Count int       `json:"count"` // how often
	Last  time.Time `json:"last"`  // whole seconds
}

// reportFormat is the newest format of reports.
const reportFormat = 2

// wireReport is a report of either format.
type wireReport struct {
	Format int `json:"format"`
	Report
}

// Encode returns the bytes of r, cleaned: never more than MaxReport. They are of
// format 1 where that can hold it.
func (r *Report) Encode() []byte {
	w := wireReport{1, r.cleaned()}
	if len(w.Drift) > 0 {
		w.Format = reportFormat
	}
	return encode(w)
}

// DecodeReport reads a report and cleans it. An unknown phase is an error, as
// is a node that is not a name.
func DecodeReport(data []byte) (*Report, error) {
	if len(data) > MaxReport {
		return nil, tooLarge("report", MaxReport)
	}
	var w wireReport
	if err := decodeUpTo(reportFormat, "report", data, &w); err != nil {
		return nil, err
	}
	if w.Format == 1 && w.Drift != nil {
		return nil, refusef("read report: unknown field %q in format 1", "drift")
	}
	r := w.cleaned()
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return &r, nil
}

// Validate checks all rules of docs/formats/report.md that cleaning does not
// see to, as an *InvalidError.
func (r *Report) Validate() error {
	p := problems{what: "report"}
	p.must(nameForm.MatchString(r.Node), "node: %.80q is not a name", r.Node)
	p.must(nameForm.MatchString(r.Group), "group: %.80q is not a name", r.Group)
	p.must(r.Commit >= 0, "commit: %d is less than 0", r.Commit)
	p.must(slices.Contains([]string{PhaseConverging, PhaseReady, PhaseConfirmed, PhaseFailed, PhaseDegraded}, r.Phase), "phase %.80q is unknown", r.Phase)
	for _, d := range r.Drift {
		p.must(slices.Contains([]string{DriftFile, DriftLink, DriftService}, d.Kind), "drift: kind %.80q is unknown", d.Kind)
		p.must(d.Count > 0, "drift of %.80q: count %d is less than 1", d.Name, d.Count)
	}
	digests := []Digest{r.Digest}
	if r.Failed != nil {
		digests = append(digests, r.Failed.Digest)
	}
	for _, d := range digests {
		if _, err := ParseDigest(string(d)); d != "" && err != nil {
			p.add("%v", err)
		}
	}
	return p.err()
}

func (r *Report) cleaned() Report {
	c := *r
	for _, s := range []*string{&c.Node, &c.Group, &c.Address, &c.Phase, &c.AgentVersion, (*string)(&c.Digest)} {
		*s = line(*s, maxName)
	}
	c.Time = wholeSecond(r.Time)
	if r.Failed != nil {
		f := *r.Failed
		f.Service = line(f.Service, maxName)
		f.Digest = Digest(line(string(f.Digest), maxName))
		f.Reason = line(f.Reason, maxReason)
		f.LastWords = LastWords(f.LastWords)
		c.Failed = &f
	}
	c.Services = slices.Clone(r.Services[:min(len(r.Services), maxServices)])
	for i := range c.Services {
		s := &c.Services[i]
		s.Name, s.State = line(s.Name, 63), line(s.State, 63)
		s.Started = wholeSecond(s.Started)
	}
	c.Drift = slices.Clone(r.Drift[:min(len(r.Drift), maxDrift)])
	for i := range c.Drift {
		d := &c.Drift[i]
		d.Kind, d.Name, d.What = line(d.Kind, 63), line(d.Name, maxName), line(d.What, maxWhat)
		d.Last = wholeSecond(d.Last)
	}
	return c
}

// LastWords returns the end of what a program printed, at most MaxLastWords
// bytes, clean of what would move a terminal's cursor or hide text: control
// and format characters other than tab and line feed, and escape sequences.
func LastWords(s string) string {
	s = strings.TrimSpace(clean(tail(s, 4*MaxLastWords), true))
	if len(s) > MaxLastWords {
		s = tail(s, MaxLastWords)
		if _, rest, found := strings.Cut(s, "\n"); found && rest != "" {
			s = rest // rather no line than half of one
		}
	}
	return s
}

// line is the first limit bytes of s, clean and on one line.
func line(s string, limit int) string {
	s = clean(s[:min(len(s), 4*limit)], false)
	for len(s) > limit {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// tail is the last limit bytes of s, from the beginning of a character on.
func tail(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[len(s)-limit:]
	for s != "" && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

func clean(s string, lines bool) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var out strings.Builder
	for s != "" {
		if rest, found := strings.CutPrefix(s, "\x1b["); found {
			s = strings.TrimLeft(rest, "0123456789;:?<=>! ")
			if s != "" && s[0] >= '@' && s[0] <= '~' {
				s = s[1:]
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r == '\n' || r == '\t':
			if !lines {
				r = ' '
			}
			out.WriteRune(r)
		case unicode.IsGraphic(r): // letters, marks, numbers, symbols, spaces
			out.WriteRune(r)
		}
	}
	return out.String()
}
