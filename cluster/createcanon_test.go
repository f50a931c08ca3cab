package cluster

import "testing"

// TestQuantitiesAreWrittenAsKubernetesDoes: the largest suffix of the same kind
// that leaves a whole number.
func TestQuantitiesAreWrittenAsKubernetesDoes(t *testing.T) {
	for given, want := range map[string]string{
		"0.5": "500m", "1000m": "1", "1500m": "1500m", "1": "1", "1000": "1k", "1500": "1500", "2000000": "2M", "0": "0", "0Gi": "0", "-0.5": "-500m",
		"1024Mi": "1Gi", "1536Mi": "1536Mi", "1.5Gi": "1536Mi", "0.5Mi": "512Ki", "0.1Ki": "102400m", "1023Ki": "1023Ki", "512": "512", "1Ki": "1Ki", "1.3Ki": "1332",
		"100u": "100u", "0.0001n": "1n", "1.0001": "1000100u", "1500M": "1500M", "12E": "12E",
		"1e3": "1e3", "1e9": "1e9", "1500e-3": "1500e-3", "1E2": "100", "5e-9": "5e-9",
		"+1": "1", ".5": "500m", "no quantity": "no quantity",
	} {
		if got := canonicalQuantity(given); got != want {
			t.Errorf("%s is written %s, want %s", given, got, want)
		}
	}
}

// TestCanonicalValues of a document: durations and quantities in kops' form,
// and no zeros that kops leaves out.
func TestCanonicalValues(t *testing.T) {
	spec := map[string]any{
		"kubeAPIServer": map[string]any{"requestTimeout": "90s", "cpuRequest": "0.5", "logLevel": 0, "image": "", "auditLogMaxAge": 0},
		"etcdClusters":  []any{map[string]any{"memoryRequest": "2048Mi", "heartbeatInterval": "1000ms"}},
		"iam":           map[string]any{"allowContainerRegistry": false, "legacy": false},
		"cloudLabels":   map[string]any{"a": "", "b": "90s"},
	}
	config := map[string]any{"spec": spec}
	canonical(tables()[KindCluster], config)
	for _, tt := range []struct {
		path []string
		want any
	}{
		{[]string{"kubeAPIServer", "requestTimeout"}, "1m30s"},
		{[]string{"kubeAPIServer", "cpuRequest"}, "500m"},
		{[]string{"kubeAPIServer", "logLevel"}, nil},
		{[]string{"kubeAPIServer", "image"}, nil},
		{[]string{"kubeAPIServer", "auditLogMaxAge"}, 0},
		{[]string{"iam", "allowContainerRegistry"}, nil},
		{[]string{"iam", "legacy"}, false},
		{[]string{"cloudLabels", "a"}, ""},
		{[]string{"cloudLabels", "b"}, "90s"},
	} {
		if got := at(spec, tt.path...); got != tt.want {
			t.Errorf("%v is %v, want %v", tt.path, got, tt.want)
		}
	}
	etcd := spec["etcdClusters"].([]any)[0].(map[string]any)
	if etcd["memoryRequest"] != "2Gi" || etcd["heartbeatInterval"] != "1s" {
		t.Errorf("etcd is %v", etcd)
	}
}
