package agent

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// Log files. A service writes straight to log/{name}.log, so that nothing of it
// is lost and nothing stops it when the agent is away. Old ones are
// log/{name}.log.1 and so on.
const (
	defaultMaxLog = 10 << 20 // bytes
	keptLogs      = 2
	logTick       = 30 * time.Second // between looks at the size of a log in use
)

// agentLog is where the agent itself prints, if it was started that way.
const agentLog = "agent.log"

// tendOwnLog keeps the agent's own log from growing without end.
func (m *Machine) tendOwnLog() {
	look := time.NewTicker(logTick)
	defer look.Stop()
	for {
		if err := m.trimLog(agentLog); err != nil && !errors.Is(err, os.ErrNotExist) {
			m.log.WarnContext(m.ctx, "cannot trim a log", slog.String("log", agentLog), slog.Any("err", err))
		}
		select {
		case <-m.letGo:
			return
		case <-look.C:
		}
	}
}

func logName(service string) string { return "log/" + service + ".log" }

// openLog opens a service's log for it to append to, and returns where its own
// words will begin. A log that has grown too large is put aside before.
func (m *Machine) openLog(service string) (*os.File, int64, error) {
	name := logName(service)
	if st, err := m.root.Stat(name); err == nil && st.Size() > m.opt.MaxLog {
		if err := m.shiftLogs(name); err != nil {
			return nil, 0, err
		}
		if err := m.root.Rename(name, name+".1"); err != nil {
			return nil, 0, err
		}
	}
	f, err := m.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, st.Size(), nil
}

// shiftLogs makes room for a new name.1.
func (m *Machine) shiftLogs(name string) error {
	for i := keptLogs - 1; i >= 1; i-- {
		err := m.root.Rename(fmt.Sprintf("%s.%d", name, i), fmt.Sprintf("%s.%d", name, i+1))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// trimLog puts the content of a log that is in use aside when it is too large.
// Its writer goes on writing to the same file, at its end, which is its
// beginning then. What it writes in the moment between the two is lost; if we
// stop there, some of it stands in both files.
func (m *Machine) trimLog(name string) error {
	f, err := m.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() <= m.opt.MaxLog {
		return err
	}
	aside, err := m.root.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer aside.Close()
	last := min(st.Size(), 2*m.opt.MaxLog) // of one that grew faster than it is looked at
	if _, err := io.Copy(aside, io.NewSectionReader(f, st.Size()-last, last)); err != nil {
		// No room to put it aside: better no old log than a full disk.
		_ = m.root.Remove(name + ".new")
		return errors.Join(err, f.Truncate(0))
	}
	if err := m.shiftLogs(name); err != nil {
		return err
	}
	if err := m.root.Rename(name+".new", name+".1"); err != nil {
		return err
	}
	return f.Truncate(0)
}

// words returns the last words of a service's process, whose output begins at
// offset from.
func (m *Machine) words(service string, from int64) string {
	f, err := m.root.Open(logName(service))
	if err != nil {
		return ""
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	if from > st.Size() {
		from = 0 // trimmed since
	}
	from = max(from, st.Size()-wordsRead)
	text, _ := io.ReadAll(io.NewSectionReader(f, from, wordsRead)) // what could be read
	return lastWords(string(text))
}
