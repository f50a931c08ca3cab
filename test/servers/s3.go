package servers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// S3 is a server that speaks S3, with buckets in the path. The zero value is
// none.
type S3 struct {
	Endpoint             string // http://127.0.0.1:PORT
	Region               string
	AccessKey, SecretKey string
}

// Bucket makes an empty bucket and returns its name.
func (s S3) Bucket(t testing.TB) string {
	t.Helper()
	name := fresh(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.Endpoint+"/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	none := sha256.Sum256(nil)
	body := hex.EncodeToString(none[:])
	req.Header.Set("X-Amz-Content-Sha256", body)
	keys := aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, req, body, "s3", s.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	do(t, req)
	return name
}

// GoFakeS3 starts gofakes3 in this process, over memory. It honours the
// conditions of Put, and ignores those of Delete and wrong credentials.
func GoFakeS3(t testing.TB) S3 {
	t.Helper()
	fake := gofakes3.New(s3mem.New())
	server := httptest.NewServer(fake.Server())
	t.Cleanup(server.Close)
	return S3{Endpoint: server.URL, Region: "us-east-1", AccessKey: "test", SecretKey: "testtest1"}
}

// Versity starts versitygw over a directory. It honours the conditions of Put
// and Delete and refuses wrong credentials.
func Versity(t testing.TB) S3 {
	t.Helper()
	dir := t.TempDir()
	root, versions := filepath.Join(dir, "objects"), filepath.Join(dir, "versions")
	for _, dir := range []string{root, versions} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	bin := program(t, "versitygw")
	s := S3{Region: "us-east-1", AccessKey: "test", SecretKey: "testtest1"}
	port := start(t, "versitygw", func(port int) *exec.Cmd {
		// It goes to its root before it opens anything: paths are absolute.
		cmd := exec.Command(bin, "--port", fmt.Sprintf("127.0.0.1:%d", port), "--region", s.Region, "--quiet",
			"posix", "--versioning-dir", versions, root)
		cmd.Env = append(cmd.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
		return cmd
	}, answers)
	s.Endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)
	return s
}

// S3rver starts s3rver over a directory: a server that takes every condition,
// ignores it, and says that all went well.
func S3rver(t testing.TB) S3 {
	t.Helper()
	dir := t.TempDir()
	port := start(t, "s3rver", func(port int) *exec.Cmd {
		return nodeProgram(t, "s3rver", "-d", dir, "-a", "127.0.0.1", "-p", fmt.Sprint(port), "--no-vhost-buckets")
	}, answers)
	return S3{
		Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), Region: "us-east-1",
		AccessKey: "S3RVER", SecretKey: "S3RVER",
	}
}
