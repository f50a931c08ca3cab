//go:build !linux

package durable

import "errors"

const noReplace, exchange = 0, 0

func (t *Tree) renameat2(from, to string, flags uint) error { return errors.ErrUnsupported }
