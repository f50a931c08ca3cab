package doctest

import "testing"

const page = "# A page\n\n```console\n$ stateroom log\nCOMMIT  WHEN\n1       2026-01-02 03:04:05\n$ echo a \\\n> b\n```\n\n```sh\n$ not this\n```\n" +
	"See [it](other.md#a-page), `[not](this)`.\n\n## It's: a `page`\n"

func TestSteps(t *testing.T) {
	steps := Steps([]byte(page))
	if len(steps) != 2 || steps[0].Line != 4 || steps[0].Command != "stateroom log" || steps[1].Command != "echo a \\\nb" {
		t.Fatalf("%+v", steps)
	}
	if d := steps[0].Differs("COMMIT   WHEN\n1        2030-12-31 00:00:00\n", ""); d != "" {
		t.Error(d)
	}
	for _, wrong := range []string{"", "COMMIT  WHEN\n", "COMMIT  WHEN\n2  2030-12-31 00:00:00\n", "COMMIT  WHEN\n1  2030-12-31 00:00:00\nmore\n"} {
		if steps[0].Differs(wrong, "") == "" {
			t.Errorf("%q passes", wrong)
		}
	}
}

func TestEllipsis(t *testing.T) {
	s := Step{Want: "a\n...\nz\n"}
	for got, ok := range map[string]bool{"a\nz\n": true, "a\nb\nc\nz\n": true, "a\nb\n": false, "z\n": false, "a\nz\nb\n": false} {
		if (s.Differs(got, "") == "") != ok {
			t.Errorf("%q: %v", got, !ok)
		}
	}
}

func TestNormal(t *testing.T) {
	const got = "at 127.66.245.11 in /tmp/x/a (6.3s) sha256:0000000000000000000000000000000000000000000000000000000000000000"
	if n := Normal(got, "/tmp/x"); n != "at ADDRESS in /home/ada/a (DURATION) DIGEST" {
		t.Errorf("%q", n)
	}
}

func TestLinks(t *testing.T) {
	links := Links([]byte(page))
	if len(links) != 1 || links[0].Target != "other.md#a-page" || links[0].Line != 14 {
		t.Errorf("%+v", links)
	}
	if a := Anchors([]byte(page)); !a["a-page"] || !a["its-a-page"] || len(a) != 2 {
		t.Errorf("%v", a)
	}
}
