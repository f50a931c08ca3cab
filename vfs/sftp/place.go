package sftp

import (
	"context"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// Place names the account, the server and the directory.
func (d *Driver) Place() string {
	return "sftp " + d.user + "@" + d.address + "/" + strings.TrimPrefix(d.dir, "/")
}

// About tells what the server says of itself, and how one is logged in.
func (d *Driver) About(ctx context.Context) vfs.About {
	about := vfs.About{Identity: vfs.Told{Value: d.user}}
	s, err := d.session(ctx)
	if err != nil {
		about.Service.Err, about.Identity = err, vfs.Told{}
		return about
	}
	about.Service.Value = "SFTP at " + d.address
	if st, ok := s.c.stream.(*stream); ok {
		about.Service.Value += ", " + string(st.client.ServerVersion())
		about.Credentials.Value = strings.Join(st.tried, ", ")
	}
	return about
}
