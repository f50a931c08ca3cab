package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A process names a process for ever: a pid alone may be another's tomorrow.
type process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot
	Boot  string `json:"boot"`  // id of the boot of the machine
}

// status is what /proc says of a process now.
type status struct {
	state   byte
	session int
	start   uint64
}

// statusOf reads /proc/PID/stat. The command in it may hold spaces and
// brackets; the fields that follow it are numbered from 3 (proc_pid_stat(5)).
func statusOf(pid int) (status, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return status{}, err
	}
	_, rest, ok := strings.Cut(string(text[max(0, bytes.LastIndexByte(text, ')')):]), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return status{}, fmt.Errorf("read /proc/%d/stat: %w", pid, fs.ErrInvalid)
	}
	session, err := strconv.Atoi(fields[6-3])
	if err != nil {
		return status{}, err
	}
	start, err := strconv.ParseUint(fields[22-3], 10, 64)
	return status{fields[0][0], session, start}, err
}

func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id)), err
}

// processOf returns the process that has a pid now.
func processOf(pid int) (process, error) {
	st, err := statusOf(pid)
	if err != nil {
		return process{}, err
	}
	boot, err := bootID()
	return process{pid, st.start, boot}, err
}

// alive reports whether p still runs. One that ended and that nobody waited for
// does not.
func (p process) alive() bool { return p.lasts() && p.thisBoot() }

// lasts is alive for a process that is known to be of this boot.
func (p process) lasts() bool {
	st, err := statusOf(p.PID)
	return err == nil && st.start == p.Start && st.state != 'Z' && st.state != 'X'
}

// signal sends a signal to p, if it still runs.
func (p process) signal(s syscall.Signal) {
	if p.alive() {
		_ = syscall.Kill(p.PID, s) // it may end meanwhile
	}
}

// session returns the living processes of the session that p leads or led.
func (p process) session() []process {
	if leader, err := statusOf(p.PID); err == nil && leader.start != p.Start {
		return nil // the session is gone, and the number another's
	}
	var members []process
	for q := range processes() {
		if st, err := statusOf(q); err == nil && st.session == p.PID && st.start >= p.Start && st.state != 'Z' && st.state != 'X' {
			members = append(members, process{q, st.start, p.Boot})
		}
	}
	return members
}

// killSession ends what is left of the session of p.
func (p process) killSession() {
	for _, q := range p.session() {
		q.signal(syscall.SIGKILL)
	}
}

// processes yields the pids of all processes.
func processes() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		d, err := os.Open("/proc")
		if err != nil {
			return
		}
		defer d.Close()
		names, _ := d.Readdirnames(-1) // what could be read
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil && !yield(pid) {
				return
			}
		}
	}
}

// marked yields the processes of this user whose environment has entry prefix,
// with the rest of that entry.
func marked(prefix string) func(yield func(process, string) bool) {
	return func(yield func(process, string) bool) {
		for pid := range processes() {
			env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
			if err != nil {
				continue // another's, or gone
			}
			for entry := range strings.SplitSeq(string(env), "\x00") {
				rest, ok := strings.CutPrefix(entry, prefix)
				if !ok {
					continue
				}
				if p, err := processOf(pid); err == nil && p.alive() && !yield(p, rest) {
					return
				}
			}
		}
	}
}

// exitText says how a process ended.
func exitText(err error) string {
	var exit interface{ Sys() any }
	if err == nil {
		return "exit status 0"
	}
	if errors.As(err, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return "killed by signal " + strconv.Itoa(int(ws.Signal())) + " (" + ws.Signal().String() + ")"
		}
	}
	return err.Error()
}

// thisBoot reports whether the machine has not been started anew since p.
func (p process) thisBoot() bool {
	boot, err := bootID()
	return err == nil && boot == p.Boot
}
