package backends

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// addresses of a service: where each leads to, or why it is refused.
type addresses struct {
	good map[string]string // to the place, and the name for people
	bad  map[string]string // to the error
}

// hold opens all addresses in one environment, and wants that no error shows
// what may be a secret, and that each says what to do.
func (a addresses) hold(t *testing.T, opt Options) {
	t.Helper()
	for url, want := range a.good {
		f, err := Open(t.Context(), url, opt)
		if err != nil {
			t.Errorf("Open(%q): %v", url, err)
			continue
		}
		if got := f.Place() + " " + f.Name(); got != want {
			t.Errorf("Open(%q) leads to %s, want %s", url, got, want)
		}
	}
	for url, want := range a.bad {
		_, err := Open(t.Context(), url, opt)
		if err == nil || err.Error() != want || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Open(%q):\n     %v\nwant %s", url, err, want)
			continue
		}
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || hinted.Hint() == "" {
			t.Errorf("Open(%q): no hint with %v", url, err)
		} else if strings.Contains(err.Error()+hinted.Hint(), "hunter2") {
			t.Errorf("Open(%q) shows the secret: %v, hint %s", url, err, hinted.Hint())
		}
	}
}

func TestGCSAddresses(t *testing.T) {
	addresses{
		good: map[string]string{
			"gs://state":          "gs storage.googleapis.com/state gs://state",
			"gs://state/":         "gs storage.googleapis.com/state gs://state",
			"gs://state/team/a":   "gs storage.googleapis.com/state/team/a gs://state/team/a",
			"gs://state/team%25/": "gs storage.googleapis.com/state/team% gs://state/team%",
			"gs://our.state_1-x":  "gs storage.googleapis.com/our.state_1-x gs://our.state_1-x",
			"gs://state/team?userProject=p&kmsKeyName=projects/p/k":    "gs storage.googleapis.com/state/team gs://state/team",
			"gs://state/team?endpoint=https://storage.example.com/gs/": "gs storage.example.com/gs/state/team gs://state/team",
			"gs://state?endpoint=storage.example.com":                  "gs storage.example.com/state gs://state",
			"gs://state?endpoint=http://127.0.0.1:1":                   "gs 127.0.0.1:1/state gs://state",
		},
		bad: map[string]string{
			"gs://":                   `open store gs://: "" is not the name of a bucket`,
			"gs:///team":              `open store gs:///team: "" is not the name of a bucket`,
			"gs://St":                 `open store gs://St: "St" is not the name of a bucket`,
			"gs://state:80/x":         `open store gs://state:80/x: "state:80" is not the name of a bucket`,
			"gs://a..b":               `open store gs://a..b: "a..b" is not the name of a bucket`,
			"gs://id:hunter2@state/x": "open store gs://state/x: it has a user in it",
			"gs://state?key=hunter2":  `open store gs://state: parameter "key" is unknown here, or there twice`,
			"gs://state?userProject=a&userProject=hunter2": `open store gs://state: parameter "userProject" is unknown here, or there twice`,
			"gs://state/x?a=%zz":                           "open store gs://state/x: its parameters cannot be read",
			"gs://state/a%zz":                              "open store gs://state/a%zz: it is not a URL",
			"gs://state/x#hunter2":                         "open store gs://state/x: it has a # in it",
			"gs://state/a//b":                              `open store gs://state/a//b: "a//b" cannot be a folder in it`,
			"gs://state/../b":                              `open store gs://state/../b: "../b" cannot be a folder in it`,
			"gs://state?endpoint=ftp://x":                  "open store gs://state: endpoint: not the URL of a service, as https://HOST",
			"gs://state?endpoint=https://u:hunter2@x":      "open store gs://state: endpoint: not the URL of a service, as https://HOST",
			"gs://state?endpoint=https://x?key=hunter2":    "open store gs://state: endpoint: not the URL of a service, as https://HOST",
		},
	}.hold(t, env("HOME="+t.TempDir()))
}

func TestAzureAddresses(t *testing.T) {
	addresses{
		good: map[string]string{
			"azureblob://ours/state":                                              "azureblob ours.blob.core.windows.net/state azureblob://ours/state",
			"azureblob://ours/state/":                                             "azureblob ours.blob.core.windows.net/state azureblob://ours/state",
			"azureblob://ours/state/team/a":                                       "azureblob ours.blob.core.windows.net/state/team/a azureblob://ours/state/team/a",
			"azureblob://ours/$root/team":                                         "azureblob ours.blob.core.windows.net/$root/team azureblob://ours/$root/team",
			"azureblob://ours/state/team?encryptionScope=s":                       "azureblob ours.blob.core.windows.net/state/team azureblob://ours/state/team",
			"azureblob://ours/state?endpoint=http://127.0.0.1:1/ours/":            "azureblob 127.0.0.1:1/ours/state azureblob://ours/state",
			"azureblob://ours/state?endpoint=https://ours.blob.storage.azure.net": "azureblob ours.blob.storage.azure.net/state azureblob://ours/state",
		},
		bad: map[string]string{
			"azureblob://":                       "open store azureblob://: it names no container",
			"azureblob://ours":                   "open store azureblob://ours: it names no container",
			"azureblob://ours/":                  "open store azureblob://ours/: it names no container",
			"azureblob:///state":                 `open store azureblob:///state: "" is not the name of a storage account`,
			"azureblob://Ours/state":             `open store azureblob://Ours/state: "Ours" is not the name of a storage account`,
			"azureblob://ours.example.com/st":    `open store azureblob://ours.example.com/st: "ours.example.com" is not the name of a storage account`,
			"azureblob://ours/St":                `open store azureblob://ours/St: "St" is not the name of a container`,
			"azureblob://id:hunter2@ours/st":     "open store azureblob://ours/st: it has a user in it",
			"azureblob://ours/state?sig=hunter2": `open store azureblob://ours/state: parameter "sig" is unknown here, or there twice`,
			"azureblob://ours/state?endpoint=https://x&endpoint=hunter2":       `open store azureblob://ours/state: parameter "endpoint" is unknown here, or there twice`,
			"azureblob://ours/state/x?a=%zz":                                   "open store azureblob://ours/state/x: its parameters cannot be read",
			"azureblob://ours/state/a%zz":                                      "open store azureblob://ours/state/a%zz: it is not a URL",
			"azureblob://ours/state/x#hunter2":                                 "open store azureblob://ours/state/x: it has a # in it",
			"azureblob://ours/state/a//b":                                      `open store azureblob://ours/state/a//b: "state/a//b" cannot be a folder in it`,
			"azureblob://ours/state?endpoint=ftp://x":                          "open store azureblob://ours/state: the endpoint is not a URL as https://ACCOUNT.blob.core.windows.net",
			"azureblob://ours/state?endpoint=https://u:hunter2@x":              "open store azureblob://ours/state: the endpoint is not a URL as https://ACCOUNT.blob.core.windows.net",
			"azureblob://ours/state?endpoint=https://x?sv%3D1%26sig%3Dhunter2": "open store azureblob://ours/state: the endpoint is not a URL as https://ACCOUNT.blob.core.windows.net",
		},
	}.hold(t, env("AZURE_STORAGE_SAS_TOKEN=sig=hunter2"))
}
