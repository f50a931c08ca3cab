package agent

import (
	"strings"
	"testing"
)

func TestLastWordsAreThoseThatSayWhy(t *testing.T) {
	for _, c := range []struct{ name, printed, want string }{
		{"a flag package", `I1122 18:48:00.000000 1 server.go:1] starting
Error: enable-admission-plugins plugin "X" is unknown
Usage:
  kube-apiserver [flags]
      --v int   verbosity
`, `Error: enable-admission-plugins plugin "X" is unknown`},
		{"klog's structured error", `W1122 18:48:00.000000 1 options.go:1] flag is deprecated
E1122 18:48:01.000000    1 run.go:72] "command failed" err="enable-admission-plugins plugin \"X\" is unknown"
`, `command failed: enable-admission-plugins plugin "X" is unknown`},
		{"klog's fatal line, with a trace", `E1122 18:48:01.000000    1 a.go:1] "Unable to" err="no" attempt=1
F1122 18:48:02.000000    1 instance.go:233] Error creating leases: context deadline exceeded
goroutine 1 [running]:
main.main()
	/src/main.go:1 +0x1
`, `F1122 18:48:02.000000    1 instance.go:233] Error creating leases: context deadline exceeded`},
		{"a panic", `listening
panic: runtime error: index out of range [1]

goroutine 7 [running]:
main.run(...)
	/src/main.go:12
created by main.main in goroutine 1
	/src/main.go:5 +0x1d
exit status 2
`, `panic: runtime error: index out of range [1]`},
		{"zap's JSON", `{"level":"info","ts":"2026-01-02T03:04:05Z","msg":"starting"}
{"level":"fatal","ts":"2026-01-02T03:04:06Z","msg":"discovery failed","error":"cannot access data directory"}
{"level":"info","ts":"2026-01-02T03:04:06Z","msg":"closed"}
`, `{"level":"fatal","ts":"2026-01-02T03:04:06Z","msg":"discovery failed","error":"cannot access data directory"}`},
		{"the same again and again", strings.Repeat("W1122 18:48:00.000000 1 a.go:1] connection refused\n", 3) + "I1122 18:48:00.000000 1 a.go:1] again\n",
			"W1122 18:48:00.000000 1 a.go:1] connection refused"},
		{"several", "error: one\nerror: two\nerror: three\nerror: four\nbye\n", "error: two\nerror: three\nerror: four"},
		{"nothing of note", "one\ntwo\n\nthree\nfour\n", "two\nthree\nfour"},
		{"colours and bells", "\x1b[31mError: red\x1b[0m\a\n", "Error: red"},
		{"nothing", "", ""},
	} {
		if got := lastWords(c.printed); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzLastWords(f *testing.F) {
	f.Add("Error: a\nE1122 18:48:01.000000 1 run.go:72] \"a\" err=\"b\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := lastWords(s)
		if len(got) > 2<<10 || strings.ContainsAny(got, "\x00\x1b\r") {
			t.Errorf("%q", got)
		}
	})
}
