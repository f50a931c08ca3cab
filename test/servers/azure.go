package servers

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os/exec"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
)

// Azure is a server that speaks the REST API of Azure Blob Storage.
type Azure struct {
	Endpoint string // http://127.0.0.1:PORT/ACCOUNT
	Account  string
	Key      string // base64
}

// ConnectionString returns all of it in the form that Azure's tools take.
func (a Azure) ConnectionString() string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;", a.Account, a.Key, a.Endpoint)
}

// Container makes an empty container and returns its name.
func (a Azure) Container(t testing.TB) string {
	t.Helper()
	client, err := azblob.NewClientFromConnectionString(a.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	name := fresh(t)
	if _, err := client.CreateContainer(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	return name
}

// Azurite starts Azurite over memory, with an account and key of its own. It
// honours all conditions, but answers a conditional read in full.
func Azurite(t testing.TB) Azure {
	t.Helper()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	a := Azure{Account: "stateroom", Key: base64.StdEncoding.EncodeToString(key)}
	dir := t.TempDir()
	port := start(t, "azurite", func(port int) *exec.Cmd {
		cmd := nodeProgram(t, "azurite-blob", "--blobHost", "127.0.0.1", "--blobPort", fmt.Sprint(port),
			"--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent")
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "AZURITE_ACCOUNTS="+a.Account+":"+a.Key)
		return cmd
	}, answers)
	a.Endpoint = fmt.Sprintf("http://127.0.0.1:%d/%s", port, a.Account)
	return a
}
