package mem_test

import (
	"testing"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
	"github.com/stateroom/stateroom/vfs/vfstest"
)

func TestKeepsTheContract(t *testing.T) {
	for name, opt := range map[string]mem.Options{
		"versions are hashes":       {},
		"versions are unique":       {UniqueVersions: true},
		"a service without tagging": {UniqueVersions: true, NoTags: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := mem.New(opt)
			if err := vfstest.Test(t.Context(), func() (vfs.Driver, error) { return d, nil }, vfstest.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHashesComeBackWithTheBytes(t *testing.T) {
	ctx := t.Context()
	d := mem.New(mem.Options{})
	versions := map[vfs.Version]bool{}
	for _, data := range []string{"a", "b", "a"} {
		e, err := d.Put(ctx, "k", []byte(data), vfs.Cond{}, "")
		if err != nil {
			t.Fatal(err)
		}
		versions[e.Version] = true
	}
	if len(versions) != 2 {
		t.Errorf("%d versions of two contents", len(versions))
	}
}
