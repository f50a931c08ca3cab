package stateroom

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/mem"
)

// tells lists the objects whose key or bytes hold a secret, or what a guess of it
// could be tried against: a hash that needs no key. Keys of the store's own are
// left out.
func tells(t testing.TB, d vfs.Driver, secret string) []string {
	t.Helper()
	var signs []string
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), kopsSecret(secret)} {
		signs = append(signs, form)
		m, s1, s2, s5 := md5.Sum([]byte(form)), sha1.Sum([]byte(form)), sha256.Sum256([]byte(form)), sha512.Sum512([]byte(form))
		for _, sum := range [][]byte{m[:], s1[:], s2[:], s5[:]} {
			signs = append(signs, hex.EncodeToString(sum)[:12], base64.StdEncoding.EncodeToString(sum)[:12])
		}
	}
	var found []string
	for e, err := range d.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := d.Get(t.Context(), e.Key, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, sign := range signs {
			if !strings.Contains(e.Key, "/keys/") && (strings.Contains(e.Key, sign) || bytes.Contains(b, []byte(sign))) {
				found = append(found, e.Key)
				break
			}
		}
	}
	return found
}

// kopsSecret is the file in which kops keeps a secret.
func kopsSecret(secret string) string {
	return fmt.Sprintf(`{"Data":%q}`, base64.StdEncoding.EncodeToString([]byte(secret)))
}

// TestNothingTellsOfASecretThatIsGone: a secret that was replaced, and one that a
// conflict kept until it was settled, can be guessed at by nobody who has all of
// the store but its keys, once gc has removed their bytes. Of one that is there,
// the commit that holds it, the file itself, and no other object tell; and where
// the service's versions are hashes, the head, which notes them.
func TestNothingTellsOfASecretThatIsGone(t *testing.T) {
	for _, unique := range []bool{false, true} {
		origin := aged(t)
		w := origin.copy(t, mem.Options{UniqueVersions: unique})
		s := w.on(t, w.d)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		kops := func(secret string) {
			_, err := w.d.Put(ctx, string(demo)+"/secrets/token", []byte(kopsSecret(secret)), vfs.Cond{}, "")
			must(err)
		}
		adopt := func() {
			_, err := s.Adopt(ctx, demo, nil, Write{})
			must(err)
		}
		kops("hunter1")
		adopt()
		kops("hunter2")
		adopt()
		if found := tells(t, w.d, "hunter1"); len(found) != 1 { // or the test sees nothing
			t.Fatalf("before gc: %v", found)
		}
		over := w.on(t, &overtakenAfter{Driver: w.d, by: func() { kops("hunter3") }})
		_, err := over.Rollback(ctx, demo, Rollback{To: "head~1", Keys: true}, Write{}) // hunter1 again, and kops in its way
		must(err)
		_, err = s.Resolve(ctx, demo, Resolve{File: "secrets/token"}, Write{})
		must(err)
		kops("hunter4")
		adopt()
		w.later(40 * day)
		_, err = s.Edit(ctx, demo, Edit{Patch: set(t, "spec.cloudLabels.k=9")}, Write{})
		must(err)
		w.later(40 * day)
		_, err = s.GC(ctx, demo, gcAll)
		must(err)
		for _, secret := range []string{"hunter1", "hunter2", "hunter3"} {
			if found := tells(t, w.d, secret); len(found) > 0 {
				t.Errorf("unique=%v: of %s tell %v", unique, secret, found)
			}
		}
		want := 2
		if !unique {
			want = 3
		}
		if found := tells(t, w.d, "hunter4"); len(found) != want {
			t.Errorf("unique=%v: of the secret that is there tell %v", unique, found)
		}
	}
}
