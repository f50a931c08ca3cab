//go:build !linux

package servers

import "syscall"

// tied puts a program into a process group of its own. It outlives a test
// binary that is killed.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
