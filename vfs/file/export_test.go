package file

import "github.com/stateroom/stateroom/internal/durable"

// Watch lets w do all changes of the disk. It is not for a driver in use.
func (d *Driver) Watch(w durable.Watch) { d.watch = w }
