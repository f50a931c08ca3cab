package pki_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/stateroom/stateroom/pki"
)

var (
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	freeze = flag.Bool("freeze", false, "write the corpus anew; that of a released version stays for ever")
)

// newCA makes an authority at noon.
func newCA(t testing.TB, name string, alg pki.Algorithm) *pki.Keyset {
	t.Helper()
	k, err := pki.NewCA(name, noon, nil, alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rotated has one item of each kind: distrusted, primary, next, certificate alone.
func rotated(t testing.TB, alg pki.Algorithm) *pki.Keyset {
	t.Helper()
	k := newCA(t, "kubernetes-ca", alg)
	first := k.Primary
	for i := range 2 {
		var err error
		if k, err = k.Rotate(noon.Add(time.Duration(i+1)*time.Hour), nil, alg); err != nil {
			t.Fatal(err)
		}
	}
	foreign, err := pki.NewCA("foreign", noon.Add(30*time.Minute), nil, alg)
	if err != nil {
		t.Fatal(err)
	}
	k, _, err = k.AddSecondary(foreign.Items[0].Certificate, pki.Key{}, noon.Add(3*time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	if k, err = k.Promote(k.Items[1].ID); err != nil {
		t.Fatal(err)
	}
	if k, err = k.Distrust(first, noon.Add(4*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return k
}

// Keysets that kops itself wrote come back to the byte, and are in order.
func TestKeysetsOfKopsKeepTheirBytes(t *testing.T) {
	root := os.Getenv("STATEROOM_KOPS_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "kops")
	}
	files, err := filepath.Glob(filepath.Join(root, "stores", "*", "*", "pki", "private", "*", "keyset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no stores of kops at %s: set STATEROOM_KOPS_DATA to where they are; the corpus of our own is tested all the same", root)
	}
	for _, file := range files {
		sameBytes(t, file)
	}
	t.Logf("%d keysets of kops", len(files))
}

func sameBytes(t *testing.T, file string) *pki.Keyset {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	k, err := pki.Parse(b)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return nil
	}
	if !bytes.Equal(k.Encode(), b) {
		t.Errorf("%s changes when it is read and written", file)
	}
	if err := k.Check(); err != nil {
		t.Errorf("%s: %v", file, err)
	}
	return k
}

// The corpus: what one version wrote, every later one reads and writes again.
func TestFrozenKeysetsDecode(t *testing.T) {
	for name, alg := range map[string]pki.Algorithm{"rotated-ecdsa": pki.ECDSAP256, "rotated-rsa": pki.RSA2048} {
		file := filepath.Join("testdata", "v1", name+".yaml")
		if *freeze {
			if err := os.WriteFile(file, rotated(t, alg).Encode(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		k := sameBytes(t, file)
		if k == nil {
			continue
		}
		if k.Name != "kubernetes-ca" || len(k.Items) != 4 {
			t.Errorf("%s: %s with %d items", name, k.Name, len(k.Items))
			continue
		}
		alone, old, primary, next := k.Items[0], k.Items[1], k.Items[2], k.Items[3]
		if alone.ID != "0" || !alone.Key.IsZero() || !old.Distrusted.Equal(noon.Add(4*time.Hour)) || primary.ID != k.Primary || !next.Trusted() {
			t.Errorf("%s: %v", name, k)
		}
	}
}

// Each line is what kops writes, so that no YAML library of another version
// can change them.
func TestBytesOfAKeyset(t *testing.T) {
	k := &pki.Keyset{Name: "etcd-clients-ca", Primary: "20", Items: []pki.Item{
		{ID: "20", Certificate: []byte("certificate"), Key: pki.NewKey([]byte("key"))},
		{ID: "3", Certificate: []byte("certificate"), Distrusted: noon.Add(time.Millisecond).In(time.FixedZone("", 3600))},
		{ID: "on", Key: pki.NewKey([]byte("\x00\x10\x83"))},
	}}
	want := `apiVersion: kops.k8s.io/v1alpha2
kind: Keyset
metadata:
  name: etcd-clients-ca
spec:
  keys:
  - id: "on"
    privateMaterial: ABCD
  - distrustTimestamp: "2026-11-22T12:00:00Z"
    id: "3"
    publicMaterial: Y2VydGlmaWNhdGU=
  - id: "20"
    privateMaterial: a2V5
    publicMaterial: Y2VydGlmaWNhdGU=
  primaryId: "20"
  type: Keypair
`
	if diff := cmp.Diff(want, string(k.Encode())); diff != "" {
		t.Error(diff)
	}
	if k.Items[0].ID != "20" {
		t.Error("Encode changed the order in the caller's keyset")
	}
	if got := string((&pki.Keyset{Name: "a"}).Encode()); !strings.HasSuffix(got, "spec:\n  type: Keypair\n") {
		t.Errorf("an empty keyset:\n%s", got)
	}
}

func TestOtherSpellingsAreRead(t *testing.T) {
	want := newCA(t, "demo", pki.ECDSAP256)
	plain := string(want.Encode())
	var tree any
	if err := yaml.Unmarshal([]byte(plain), &tree); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"JSON":          string(asJSON),
		"v1alpha3":      strings.NewReplacer("v1alpha2", "v1alpha3", "primaryId", "primaryID").Replace(plain),
		"old API group": strings.Replace(plain, "kops.k8s.io/", "kops/", 1),
		"other metadata, comments, CRLF": strings.ReplaceAll(strings.Replace(plain, "metadata:\n",
			"metadata:\n  creationTimestamp: null # ours\n  annotations: {a: b}\n", 1), "\n", "\r\n"),
	} {
		got, err := pki.Parse([]byte(s))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatIsNoKeysetIsRefused(t *testing.T) {
	good := string(rotated(t, pki.ECDSAP256).Encode())
	for want, s := range map[string]string{
		"keyset is not YAML":                "",
		"keyset is not YAML (line 2)":       "a: b\n\tc: d\n",
		"more than one document":            good + "---\n" + good,
		"line 1: keyset is not a mapping":   "[]",
		"keyset has an unknown field":       good + "colour: red\n",
		"keyset has kind twice":             good + "kind: Keyset\n",
		"kind is not Keyset":                strings.Replace(good, "kind: Keyset", "kind: Cluster", 1),
		"apiVersion is neither":             strings.Replace(good, "v1alpha2", "v1", 1),
		"metadata.name is missing":          strings.Replace(good, "name: kubernetes-ca", "name: null", 1),
		"spec has an unknown field":         strings.Replace(good, "primaryId", "primary", 1),
		"spec.type is not Keypair":          strings.Replace(good, "type: Keypair", "type: Secret", 1),
		"keys is not a list":                "apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata: {name: a}\nspec: {type: Keypair, keys: 1}",
		"key has an unknown field":          strings.Replace(good, "privateMaterial:", "private:", 1),
		"line 8: key has id twice":          strings.Replace(good, "  - id: \"0\"\n", "  - id: \"0\"\n    id: \"0\"\n", 1),
		"id 0 is there twice":               strings.Replace(good, "  - id: ", "  - id: \"0\"\n  - id: ", 1),
		"id is not 1 to 64":                 strings.Replace(good, "  - id: \"0\"", "  - id: \"\"", 1),
		"privateMaterial is not base64":     strings.Replace(good, "privateMaterial: LS0t", "privateMaterial: LS0t=*", 1),
		"publicMaterial is not a string":    strings.Replace(good, "publicMaterial: LS0t", "publicMaterial: [a]\n  # ", 1),
		"distrustTimestamp is not a time":   strings.Replace(good, `distrustTimestamp: "2026`, `distrustTimestamp: "x`, 1),
		"is larger than":                    good + strings.Repeat("#", pki.MaxKeyset),
		"line 4: metadata is not a mapping": "apiVersion: &a kops.k8s.io/v1alpha2\nkind: Keyset\nspec: {type: Keypair}\nmetadata: *a",
	} {
		if _, err := pki.Parse([]byte(s)); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

// Whatever is wrong with a file, its keys do not stand in the error.
func TestErrorsNeverQuoteAKey(t *testing.T) {
	k := rotated(t, pki.ECDSAP256)
	good := string(k.Encode())
	var material []string
	for _, it := range k.Items {
		if !it.Key.IsZero() {
			material = append(material, base64.StdEncoding.EncodeToString(it.Key.Reveal()))
		}
	}
	for i := 0; i < len(good); i += 41 {
		for _, junk := range []string{"*", "&", "\t", "\n", "{", "\"", ": ", "!", "%\x00"} {
			_, err := pki.Parse([]byte(good[:i] + junk + good[i:]))
			for _, m := range material {
				for at := 40; err != nil && at+8 < len(m); at += 12 {
					if strings.Contains(err.Error(), m[at:at+8]) {
						t.Fatalf("%q at %d: %v", junk, i, err)
					}
				}
			}
		}
	}
}

func TestAKeyNeverPrints(t *testing.T) {
	const material = "-----BEGIN EC PRIVATE KEY-----"
	key := pki.NewKey([]byte(material))
	inside := struct {
		Key    pki.Key
		hidden pki.Key
		list   []pki.Key
	}{key, key, []pki.Key{key}}
	k := &pki.Keyset{Name: "a", Items: []pki.Item{{ID: "1", Key: key}}}
	var out bytes.Buffer
	for _, v := range []any{key, &key, inside, &inside, k, *k, k.Items} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%!"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		asJSON, _ := json.Marshal(v)
		asYAML, _ := yaml.Marshal(v)
		out.Write(asJSON)
		out.Write(asYAML)
		slog.New(slog.NewTextHandler(&out, nil)).Info("a", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("a", "v", v)
	}
	fmt.Fprint(&out, key.String(), key.GoString(), cmp.Diff(k, &pki.Keyset{}))
	for _, form := range []string{"BEGIN", fmt.Sprintf("%x", "BEGIN"), fmt.Sprintf("%X", "BEGIN"), "66 69 71 73 78", base64.StdEncoding.EncodeToString([]byte(material))[:16]} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q shows in\n%s", form, out.String())
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%08b"} {
		if got := fmt.Sprintf(verb, key); got != "[secret]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if !bytes.Equal(key.Reveal(), []byte(material)) || !strings.Contains(out.String(), "[secret]") {
		t.Error("Reveal does not show the key, or nothing says [secret]")
	}
}

func TestTheSameRandomnessMakesTheSameKeyset(t *testing.T) {
	var made [2][]byte
	for i := range made {
		t.Run("", func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 1)
			made[i] = rotated(t, pki.ECDSAP256).Encode()
		})
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("a keyset depends on more than name, time and randomness")
	}
}

// Parse never panics, and what it reads keeps its meaning when written.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", "v1", "*.yaml"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata: {name: a}\nspec: {type: Keypair, primaryId: 1, keys: [{id: 1e3, distrustTimestamp: 2026-11-22T12:00:00+01:00}]}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := pki.Parse(b)
		if err != nil {
			return
		}
		once := k.Encode()
		again, err := pki.Parse(once)
		if err != nil {
			t.Fatalf("%q is read, but not what is written of it, %q: %v", b, once, err)
		}
		if twice := again.Encode(); !bytes.Equal(once, twice) {
			t.Fatalf("%q is not stable: %q", once, twice)
		}
		if k.Name != again.Name || k.Primary != again.Primary || len(k.Items) != len(again.Items) {
			t.Fatalf("%q changes its meaning: %q", b, once)
		}
	})
}
