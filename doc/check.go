package doc

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxFindings bounds the errors of one kind: a binary file is not to be listed
// byte by byte.
const maxFindings = 20

// checkText refuses what is no text: too large, not UTF-8, control characters.
func checkText(src []byte) Errors {
	if len(src) > MaxSize {
		return Errors{{Message: fmt.Sprintf("%d bytes are more than the limit of %d", len(src), MaxSize)}}
	}
	var errs Errors
	line, col := 1, 1
	for at := 0; at < len(src) && len(errs) < maxFindings; {
		r, n := utf8.DecodeRune(src[at:])
		switch {
		case r == utf8.RuneError && n == 1:
			errs = append(errs, &Error{Line: line, Col: col, Message: fmt.Sprintf("byte 0x%02x is not UTF-8", src[at]), Advice: "save the file as UTF-8"})
		case r == 0:
			errs = append(errs, &Error{Line: line, Col: col, Message: "a NUL byte"})
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f, r >= 0x80 && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			errs = append(errs, &Error{Line: line, Col: col, Message: fmt.Sprintf("control character %U", r), Advice: "write it as an escape in a double-quoted text"})
		}
		if end := breakLen(src, at); end > 0 {
			at += end
			line, col = line+1, 1
			continue
		}
		if at > 0 || !bytes.HasPrefix(src, bom) {
			col++
		}
		at += n
	}
	return errs
}

// breakLen is the length of the line break at an offset, as YAML 1.1 has them:
// LF, CR LF, CR, NEL, LS, PS; 0 where there is none.
func breakLen(src []byte, at int) int {
	switch src[at] {
	case '\n':
		return 1
	case '\r':
		if at+1 < len(src) && src[at+1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if at+1 < len(src) && src[at+1] == 0x85 {
			return 2
		}
	case 0xe2:
		if at+2 < len(src) && src[at+1] == 0x80 && (src[at+2] == 0xa8 || src[at+2] == 0xa9) {
			return 3
		}
	}
	return 0
}

func countLines(src []byte) int {
	lines := 0
	for at := 0; at < len(src); {
		if n := breakLen(src, at); n > 0 {
			lines++
			at += n
		} else {
			at++
		}
	}
	return lines
}

// place is the line and column of an offset, both from 1.
func place(src []byte, at int) (line, col int) {
	line, begin := 1, 0
	for i := 0; i < at; {
		n := breakLen(src, i)
		if n == 0 {
			i++
			continue
		}
		if i += n; i <= at {
			line, begin = line+1, i
		}
	}
	return line, utf8.RuneCount(src[begin:at]) + 1
}

// guardDepth is where checkNesting stops a text before the YAML library sees
// it. It is far above MaxDepth, because this check reads only the surface of
// YAML and must not refuse what is in order; checkTree is exact.
const guardDepth = 1000

// checkNesting bounds the depth to which the YAML library can be made to
// recurse.
func checkNesting(src []byte) *Error {
	s := surface{src: src}
	for at := 0; at < len(src); {
		if at = s.line(at); s.deep > 0 {
			line, col := place(src, s.deep)
			return &Error{Line: line, Col: col, Message: fmt.Sprintf("nested deeper than %d levels", MaxDepth)}
		}
	}
	return nil
}

// A surface follows the nesting of a text: the columns of open blocks, and the
// open brackets.
type surface struct {
	src    []byte
	blocks []int
	flow   int
	deep   int // offset where the guard was passed
}

// line reads one line, or all lines of a block of text, a quoted text or a
// bracket, and returns where the next begins.
func (s *surface) line(at int) int {
	begin := at
	for at < len(s.src) && s.src[at] == ' ' {
		at++
	}
	if at == len(s.src) || bytes.IndexByte([]byte("\r\n#"), s.src[at]) >= 0 {
		return lineEnd(s.src, at)
	}
	for len(s.blocks) > 0 && s.blocks[len(s.blocks)-1] >= at-begin {
		s.blocks = s.blocks[:len(s.blocks)-1]
	}
	indent := at - begin
	first := true // a value may begin here
	for at < len(s.src) {
		c := s.src[at]
		blank := at+1 == len(s.src) || bytes.IndexByte([]byte(" \t\r\n"), s.src[at+1]) >= 0
		switch {
		case c == '\n' || c == '\r':
			return lineEnd(s.src, at)
		case c == ' ' || c == '\t':
			at++
			continue
		case c == '#' && at > 0 && (s.src[at-1] == ' ' || s.src[at-1] == '\t'):
			return lineEnd(s.src, at)
		case first && blank && (c == '-' || c == '?' || c == ':'):
			s.push(at, at-begin)
		case c == ':' && blank:
			s.push(at, indent)
			first = true
			at++
			continue
		case first && (c == '|' || c == '>'):
			return s.text(lineEnd(s.src, at), indent)
		case first && (c == '"' || c == '\''):
			at, first = quotedEnd(s.src, at), false
			continue
		case first && (c == '[' || c == '{'):
			at, first = s.brackets(at), false
			continue
		case first && (c == '&' || c == '!'):
			for at < len(s.src) && bytes.IndexByte([]byte(" \t\r\n"), s.src[at]) < 0 {
				at++
			}
			continue
		default:
			first = false
		}
		if s.deep > 0 {
			return len(s.src)
		}
		at++
	}
	return at
}

func (s *surface) push(at, col int) {
	if n := len(s.blocks); n > 0 && s.blocks[n-1] >= col {
		return
	}
	if s.blocks = append(s.blocks, col); len(s.blocks)+s.flow > guardDepth {
		s.deep = at
	}
}

// text skips the lines of a literal or folded text.
func (s *surface) text(at, indent int) int {
	for at < len(s.src) {
		end := lineEnd(s.src, at)
		line := s.src[at:end]
		rest := bytes.TrimLeft(line, " ")
		if len(bytes.TrimSpace(rest)) > 0 && len(line)-len(rest) <= indent {
			break
		}
		at = end
	}
	return at
}

// quotedEnd is the offset after the quoted text at an offset, or the end of
// the source where it is not closed.
func quotedEnd(src []byte, at int) int {
	quote := src[at]
	for at++; at < len(src); at++ {
		switch {
		case src[at] == '\\' && quote == '"':
			at++
		case src[at] == quote && quote == '\'' && at+1 < len(src) && src[at+1] == '\'':
			at++
		case src[at] == quote:
			return at + 1
		}
	}
	return len(src)
}

// brackets reads a flow collection to its end.
func (s *surface) brackets(at int) int {
	first := true
	for at < len(s.src) {
		switch c := s.src[at]; {
		case first && (c == '"' || c == '\''):
			at, first = quotedEnd(s.src, at), false
			continue
		case c == '[' || c == '{':
			if s.flow++; s.flow+len(s.blocks) > guardDepth {
				s.deep = at
				return len(s.src)
			}
			first = true
		case c == ']' || c == '}':
			if s.flow--; s.flow == 0 {
				return at + 1
			}
			first = false
		case c == '#' && bytes.IndexByte([]byte(" \t\r\n"), s.src[at-1]) >= 0:
			at = lineEnd(s.src, at)
			continue
		case c == ',' || c == ':':
			first = true
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			first = false
		}
		at++
	}
	s.flow = 0
	return at
}
