package v1alpha2_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stateroom/stateroom/cluster/v1alpha2"
	"github.com/stateroom/stateroom/doc"
)

// TestTypesHoldKopsDocuments reads every document of kops into the types,
// strictly, and wants what they write to say the same.
func TestTypesHoldKopsDocuments(t *testing.T) {
	dir := os.Getenv("STATEROOM_KOPS_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "kops")
	}
	if _, err := os.Stat(filepath.Join(dir, "stores")); err != nil {
		t.Skipf("no kops data: set STATEROOM_KOPS_DATA to a folder with stores/ and create_cluster/ (%v)", err)
	}
	count := 0
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(b, []byte("apiVersion: kops.k8s.io/v1alpha2")) {
			return err
		}
		docs, err := doc.Parse(b)
		if err != nil {
			return err
		}
		for _, d := range docs {
			count += sameAfter(t, name, d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 50 {
		t.Errorf("only %d documents", count)
	}
	t.Logf("%d documents read and written", count)
}

// sameAfter reads a document into its type and compares what that writes. It
// returns how many documents it compared.
func sameAfter(t *testing.T, name string, d *doc.Document) int {
	t.Helper()
	value, _ := d.Get()
	kind, _ := d.Get("kind")
	into := map[string]any{
		"Cluster": &v1alpha2.Cluster{}, "InstanceGroup": &v1alpha2.InstanceGroup{},
		"Keyset": &v1alpha2.Keyset{}, "SSHCredential": &v1alpha2.SSHCredential{},
	}[kind.(string)]
	if into == nil {
		return 0
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		t.Errorf("%s: %v", name, err)
		return 1
	}
	again, err := json.Marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain(t, b), plain(t, again)); diff != "" {
		t.Errorf("%s: what was read (-) and what was written (+):\n%s", name, diff)
	}
	return 1
}

// plain is JSON as Go values, without what says nothing: null and empty texts,
// lists and maps below spec.
func plain(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return without(v)
}

func without(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for key, value := range m {
		if value = without(value); value == nil || value == "" || reflect.DeepEqual(value, []any{}) {
			delete(m, key)
		}
	}
	return m
}

// TestScalars reads each form that a document may have.
func TestScalars(t *testing.T) {
	var got struct {
		A, B v1alpha2.Quantity
		C, D v1alpha2.IntOrString
	}
	if err := json.Unmarshal([]byte(`{"A":1.5,"B":"200m","C":1,"D":"25%"}`), &got); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(got)
	if want := `{"A":"1.5","B":"200m","C":1,"D":"25%"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
	for _, bad := range []string{`{"A":true}`, `{"C":1.5}`, `{"C":{}}`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil || strings.Contains(err.Error(), "panic") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
