package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stateroom/stateroom/internal/wire"
	"github.com/stateroom/stateroom/vfs"
)

// About tells what the bucket is and how it is reached, by a few requests that
// write nothing. What is not permitted is left at its error.
func (d *Driver) About(ctx context.Context) vfs.About {
	var a vfs.About
	a.Versioning.Value, a.Versioning.Err = d.versioning(ctx, &a)
	a.Encryption.Value, a.Encryption.Err = d.encryption(ctx)
	a.Credentials.Value, a.Identity.Value, a.Credentials.Err = d.credentials(ctx)
	if d.host() == amazon && a.Credentials.Err == nil {
		a.Identity.Value, a.Identity.Err = d.caller(ctx)
	}
	return a
}

// versioning also tells of the service that answers, and of its clock.
func (d *Driver) versioning(ctx context.Context, a *vfs.About) (status string, err error) {
	a.Service.Value = "Amazon S3"
	if d.host() != amazon {
		a.Service.Value = "S3 at " + d.host()
	}
	err = d.try(ctx, "GET", "?versioning", 0, func(ctx context.Context, _ func(int64), o func(*s3.Options)) error {
		out, err := d.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &d.opt.Bucket}, o)
		if err != nil {
			return err
		}
		status = strings.ToLower(string(out.Status))
		a.Clock = date(out.ResultMetadata)
		if software := server(out.ResultMetadata); software != "" && d.host() != amazon {
			a.Service.Value += " (" + wire.Brief(software) + ")"
		}
		return nil
	})
	if err == nil {
		status = map[string]string{"enabled": "on", "suspended": "suspended"}[status]
		if status == "" {
			status = "off"
		}
	}
	return status, err
}

func date(m middleware.Metadata) time.Time {
	t, _ := awsmiddleware.GetServerTime(m)
	return t
}

func server(m middleware.Metadata) string {
	if r, ok := awsmiddleware.GetRawResponse(m).(*smithyhttp.Response); ok {
		return r.Header.Get("Server")
	}
	return ""
}

// encryption is what is asked for, or else the bucket's default.
func (d *Driver) encryption(ctx context.Context) (text string, err error) {
	if d.opt.Encryption != "" {
		return withKey(d.opt.Encryption, d.opt.KMSKey), nil
	}
	text = "none by default"
	err = d.try(ctx, "GET", "?encryption", 0, func(ctx context.Context, _ func(int64), o func(*s3.Options)) error {
		out, err := d.client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &d.opt.Bucket}, o)
		if err != nil || out.ServerSideEncryptionConfiguration == nil {
			return err
		}
		for _, rule := range out.ServerSideEncryptionConfiguration.Rules {
			if by := rule.ApplyServerSideEncryptionByDefault; by != nil {
				text = withKey(string(by.SSEAlgorithm), aws.ToString(by.KMSMasterKeyID))
			}
		}
		return nil
	})
	var answer *Error
	if errors.As(err, &answer) && (answer.Code == "ServerSideEncryptionConfigurationNotFoundError" || answer.Status == http.StatusNotImplemented) {
		return text, nil
	}
	return text, err
}

func withKey(algorithm, key string) string {
	if key == "" {
		return algorithm
	}
	return algorithm + " with key " + key
}

// sources are where the SDK says that it found credentials, in words.
var sources = map[string]string{
	"EnvConfigCredentials":        "environment (AWS_ACCESS_KEY_ID)",
	"SSOProvider":                 "single sign-on (aws sso login)",
	"LoginProvider":               "aws login",
	"ProcessProvider":             "a program of the profile (credential_process)",
	"EC2RoleProvider":             "the role of this host",
	"AssumeRoleProvider":          "a role that the profile takes on",
	"WebIdentityCredentials":      "web identity (AWS_WEB_IDENTITY_TOKEN_FILE)",
	"CredentialsEndpointProvider": "the role of this container",
}

// credentials tells where credentials were found, and the id of the access key.
func (d *Driver) credentials(ctx context.Context) (source, id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.opt.Timeout)
	defer cancel()
	c, err := d.client.Options().Credentials.Retrieve(ctx)
	if err != nil {
		return "", "", d.explain("GET", "", err)
	}
	name, file, _ := strings.Cut(c.Source, ": ")
	switch {
	case d.opt.Keys.ID != "":
		source = "environment (S3_ACCESS_KEY_ID)"
	case name == "SharedConfigCredentials":
		source = "file " + file
	case sources[name] != "":
		source = sources[name]
	default:
		source = wire.Brief(c.Source)
	}
	return source, "access key " + c.AccessKeyID, nil
}

// caller asks Amazon who one is.
func (d *Driver) caller(ctx context.Context) (arn string, err error) {
	o := d.client.Options()
	client := sts.New(sts.Options{Region: o.Region, Credentials: o.Credentials, HTTPClient: o.HTTPClient, Retryer: aws.NopRetryer{}})
	err = d.once(ctx, "GET", "caller identity", 0, func(ctx context.Context, _ func(int64), _ func(*s3.Options)) error {
		out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err == nil {
			arn = aws.ToString(out.Arn)
		}
		return err
	})
	return arn, err
}
