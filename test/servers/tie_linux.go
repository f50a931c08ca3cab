package servers

import "syscall"

// tied puts a program into a process group of its own, and has the kernel kill
// it when the thread that started it ends.
func tied() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
