//go:build !linux

package main

import (
	"context"
	"errors"
	"io"
)

var errLinux = errors.New("hosts run Linux: the agent does not work on this system")

func runAgent(context.Context, []string, io.Writer, io.Writer) error   { return errLinux }
func showStatus(context.Context, []string, io.Writer, io.Writer) error { return errLinux }
func stopAll(context.Context, []string, io.Writer) error               { return errLinux }
func etcdSnapshot(context.Context, []string, io.Writer, io.Writer) error {
	return errLinux
}
func code(error) int { return 1 }
