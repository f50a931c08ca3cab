package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stateroom/stateroom/cluster"
	"github.com/stateroom/stateroom/doc"
)

// advised is an error with what a person can do about it.
type advised struct {
	error
	hint string
}

func (e *advised) Unwrap() error { return e.error }
func (e *advised) Hint() string  { return e.hint }

// advise gives an error a hint; nil stays nil.
func advise(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &advised{err, fmt.Sprintf(format, args...)}
}

// hints collects what the errors of a tree advise, outermost first. Only the
// first is shown for each branch: those within were written without knowing
// what was wanted.
func (env *Env) hints(err error) []string {
	if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
		return []string{h.Hint()}
	}
	switch e := err.(type) { //nolint:errorlint // this is the walk through the tree
	case *cluster.InvalidError:
		return env.mend(e.Problems)
	case *cluster.NameError:
		return []string{nameHint(e)}
	case interface{ Unwrap() error }:
		if inner := env.hints(e.Unwrap()); len(inner) > 0 {
			return inner
		}
	case interface{ Unwrap() []error }:
		var all []string
		for _, inner := range e.Unwrap() {
			for _, hint := range env.hints(inner) {
				if !slices.Contains(all, hint) {
					all = append(all, hint)
				}
			}
		}
		return all
	}
	return builtinHint(err)
}

// builtinHint advises on errors of the system, which cannot do it themselves.
func builtinHint(err error) []string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return []string{"the disk is full; nothing was left half done"}
	case errors.Is(err, syscall.EROFS):
		return []string{"the file system is mounted read-only"}
	case errors.Is(err, syscall.ENOTDIR):
		return []string{"a store is a directory; what lies on the way to it is none"}
	case errors.Is(err, syscall.EFBIG):
		return []string{"this process may not write so much (ulimit -f); nothing was left half done"}
	}
	return nil
}

// lastHint advises on an error that none of its own parts advises on: by what
// the command was about.
func (env *Env) lastHint(err error) []string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return []string{"ls -l shows whose it is; the store belongs to whoever made it, or with stateroom store init --group to a team"}
	case env.meant != "" && errors.Is(err, fs.ErrInvalid):
		return []string{fmt.Sprintf("stateroom store fsck names what is damaged; stateroom rollback %s --to N goes back to commit N, with --keys the keysets too", env.meant)}
	}
	return nil
}

// mend says what to do next about what is wrong with values of the command
// line, with a file that was given, or with documents of the store: one line for
// each of these.
func (env *Env) mend(problems []cluster.Problem) []string {
	var all []string
	for i, p := range problems {
		of := func(q cluster.Problem) bool { return q.File == p.File }
		if slices.ContainsFunc(problems[:i], of) && !isFlag(p.File) {
			continue
		}
		many := slices.ContainsFunc(problems[i+1:], of)
		if hint := env.mendOne(p, many); !slices.Contains(all, hint) && len(all) < 2 {
			all = append(all, hint)
		}
	}
	return all
}

func (env *Env) mendOne(p cluster.Problem, many bool) string {
	switch {
	case isFlag(p.File):
		return env.mendFlag(p)
	case slices.Contains(env.given, p.File):
		return mendFile(p, many)
	case len(env.given) > 0:
		return fmt.Sprintf("%s would bring that about: mend it and run this again; %s is as it was", env.given[0], p.File)
	case !inStore(p.File):
		return mendFile(p, many)
	case env.changes():
		return fmt.Sprintf("%s is as it was; give what belongs together in one command, or edit it as a whole: %s", p.File, env.editOf(p.File))
	}
	return fmt.Sprintf("mend it with %s; stateroom log %s says who changed it, stateroom rollback %[2]s --to N goes back", env.editOf(p.File), env.named())
}

// isFlag reports whether a problem is with the command line.
func isFlag(file string) bool {
	return strings.HasPrefix(file, "--") || file == "set" || file == "unset"
}

// mendFile is the next step with a file that was given.
func mendFile(p cluster.Problem, many bool) string {
	what, where := "mend "+p.File, ""
	switch {
	case p.File == "-":
		what = "mend what is piped in"
	case many:
		where = " at the lines above"
	case p.Line > 0:
		where = fmt.Sprintf(" at line %d", p.Line)
	}
	if p.Path == "kind" || p.Path == "apiVersion" || p.Path == "" && p.Line <= 1 {
		return what + where + "; stateroom create cluster NAME --dry-run -o yaml prints documents to go by"
	}
	return what + where + " and run this again; nothing was changed"
}

// inStore reports whether a problem is with a document of the cluster's own.
func inStore(file string) bool {
	return file == cluster.ConfigFile || file == cluster.AddonsFile || strings.HasPrefix(file, cluster.GroupDir+"/")
}

// changes reports whether the command that runs is one that changes documents.
func (env *Env) changes() bool {
	words := strings.Fields(env.commandPath())
	return len(words) > 1 && slices.Contains([]string{"edit", "set", "unset", "replace", "create", "delete", "rollback", "adopt", "resolve"}, words[1])
}

// editOf is the command that opens a document of the store in an editor.
func (env *Env) editOf(file string) string {
	if group, ok := strings.CutPrefix(file, cluster.GroupDir+"/"); ok {
		return fmt.Sprintf("stateroom edit instancegroup %s --name %s", group, env.named())
	}
	return "stateroom edit cluster " + env.named()
}

// named is the cluster that the command is about, as far as it got.
func (env *Env) named() string {
	if env.meant == "" {
		return "NAME"
	}
	return string(env.meant)
}

func (env *Env) commandPath() string {
	if env.running == nil {
		return "stateroom"
	}
	return env.running.CommandPath()
}

// mendFlag says what a flag takes.
func (env *Env) mendFlag(p cluster.Problem) string {
	name := strings.TrimPrefix(p.File, "--")
	if name == "set" || name == "unset" {
		return env.mendField(name, p)
	}
	if env.running != nil {
		if f := env.running.Flags().Lookup(name); f != nil {
			return flagHint(env.running, f)
		}
	}
	return env.commandPath() + " --help"
}

// indexes are those of lists in a path: [0], [name=x].
var indexes = regexp.MustCompile(`\[[^\]]*\]`)

// mendField says how a field is set: one like it, and what shows what is there.
func (env *Env) mendField(verb string, p cluster.Problem) string {
	kind, show := cluster.KindCluster, "stateroom get cluster "+env.named()+" -o yaml"
	if strings.Contains(env.commandPath(), "instancegroup") {
		kind, show = cluster.KindInstanceGroup, "stateroom get instancegroups --name "+env.named()+" -o yaml"
	}
	if env.meant == "" {
		show = env.commandPath() + " --help"
	}
	lead := ""
	if strings.HasPrefix(p.File, "--") {
		lead = p.File + " "
	}
	field, known := cluster.FieldFor(kind, p.Path)
	near := cluster.Nearest(kind, p.Path)
	_, ofGroups := cluster.Explain(cluster.KindInstanceGroup, p.Path)
	switch {
	case p.Path == "metadata.name":
		return "a name is for good; stateroom create makes another one, under another name"
	case p.Path == "" && verb == "unset":
		return "a path, as in " + lead + "spec.channel or " + lead + "spec.cloudLabels[team]"
	case p.Path == "":
		return "PATH=VALUE, as in " + lead + "spec.channel=stable or " + lead + "spec.etcdClusters[name=main].cpuRequest=200m"
	case known && verb == "set":
		return fmt.Sprintf("as in %s%s=%s; %s shows what is set", lead, indexes.ReplaceAllString(p.Path, "[0]"), example(&field), show)
	case !known && kind == cluster.KindCluster && ofGroups:
		return strings.Replace(env.commandPath(), "cluster", "instancegroup", 1) + " GROUP does that to one; stateroom get instancegroups shows them"
	case near != "" && near != p.Path:
		return fmt.Sprintf("write %s; %s shows what is set", near, show)
	}
	return show + " shows what is set"
}

// example is a value for a field.
func example(f *cluster.Field) string {
	switch f.Type {
	case cluster.Bool:
		return "true"
	case cluster.Int, cluster.Number:
		return "3"
	case cluster.Quantity:
		if strings.Contains(strings.ToLower(f.Path), "memory") {
			return "100Mi"
		}
		return "200m"
	case cluster.IntOrString:
		return "1"
	case cluster.Duration:
		return "30s"
	case cluster.Time:
		return "2026-01-02T15:04:05Z"
	}
	return "VALUE"
}

// flagHint says what a flag is for.
func flagHint(cmd *cobra.Command, f *pflag.Flag) string {
	value, usage := pflag.UnquoteUsage(f)
	return fmt.Sprintf("%s; %s --help", strings.TrimSpace("--"+f.Name+" "+strings.ToUpper(plainKind(value))+": "+usage), cmd.CommandPath())
}

// flagError is a usage error that says what the flag takes, or which flag may
// have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	var unknown *pflag.NotExistError
	hint := cmd.CommandPath() + " --help lists its flags"
	switch own := new(usageError); {
	case errors.As(err, &own): // of a value that knows itself what is wrong with it
		return own
	case errors.As(err, &value):
		hint = flagHint(cmd, value.GetFlag())
	case errors.As(err, &missing):
		hint = flagHint(cmd, missing.GetFlag())
	case errors.As(err, &unknown):
		if c, _, err := cmd.Root().Find([]string{unknown.GetSpecifiedName()}); err == nil && c != cmd.Root() {
			hint = c.CommandPath() + " is a command; " + hint
		} else if near := nearFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			hint = "did you mean --" + near + "? " + hint
		}
	}
	return &usageError{err: err, hint: hint}
}

// nearFlag is the flag of a command that begins with the same letters as a name
// that it does not have, or is one letter away.
func nearFlag(cmd *cobra.Command, name string) string {
	near := ""
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if near == "" && !f.Hidden && oneAway(f.Name, name) {
			near = f.Name
		}
	})
	return near
}

// oneAway reports whether two words differ by one letter that is left out, put
// in, replaced, or swapped with its neighbour; or one is the beginning of the
// other.
func oneAway(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 || len(b) > 40 {
		return false
	}
	if strings.HasPrefix(b, a) {
		return true
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(a):
		return true
	case a[i:] == b[i+1:], a[i+1:] == b[i+1:]:
		return true
	}
	return i+1 < len(a) && i+1 < len(b) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// unsaid is what no name can hold.
var unsaid = regexp.MustCompile(`[^a-z0-9.-]+`)

// nameHint is a name like the one refused that could be taken.
func nameHint(e *cluster.NameError) string {
	near := strings.Trim(unsaid.ReplaceAllString(strings.ToLower(e.Name), "-"), "-.")
	near = strings.TrimSuffix(strings.Join(strings.FieldsFunc(near, func(r rune) bool { return r == '.' }), "."), ".lock")
	if e.Kind != "cluster" {
		if _, err := cluster.ParseGroupName(near); err == nil {
			return "a name such as " + near
		}
		return "a name such as nodes-main"
	}
	if !strings.Contains(near, ".") {
		near += ".example.com"
	}
	if _, err := cluster.ParseName(near); err == nil {
		return "a name such as " + near + "; stateroom get clusters lists those of the store"
	}
	return "a name such as demo.example.com; stateroom get clusters lists those of the store"
}

// noFile is the error for a file of the command line that cannot be read, with
// what lies beside it.
func noFile(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if near := filesBeside(name); near != "" {
			return advise(err, "%s has %s", filepath.Join(filepath.Dir(name), "."), near)
		}
		return advise(err, "give the path of a file, or - for the standard input; paths are relative to the directory where you are")
	case errors.Is(err, syscall.EISDIR):
		return advise(err, "give one file of that directory, or pipe them: cat %s | stateroom ... -f -", filepath.Join(name, "*.yaml"))
	case errors.Is(err, fs.ErrPermission):
		return advise(err, "ls -l %s shows who may read it", name)
	}
	return err
}

// filesBeside lists files with the ending of the one that is missing.
func filesBeside(name string) string {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return ""
	}
	var like []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == filepath.Ext(name) {
			like = append(like, clean(e.Name()))
		}
	}
	return shortList(like, 4)
}

// mendText is the error for a file of settings or programs that is not what it
// should be.
func mendText(name string, err error, format string) error {
	if h := interface{ Hint() string }(nil); errors.As(err, &h) && h.Hint() == "upgrade stateroom" {
		return err
	}
	if errs := (doc.Errors)(nil); errors.As(err, &errs) && len(errs) > 0 && errs[0].Line > 0 {
		return advise(err, "mend %s at line %d; %s", name, errs[0].Line, format)
	}
	return advise(err, "mend %s; %s", name, format)
}
