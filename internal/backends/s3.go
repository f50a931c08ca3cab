package backends

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/vfs"
	"github.com/stateroom/stateroom/vfs/s3"
)

// s3Parameters are those of s3:// and of the schemes of services that speak
// its protocol. There is none for credentials: an address is shown, logged and
// written down.
var s3Parameters = []string{
	"acl", "delete-conditions", "endpoint", "kms-key", "path-style", "profile", "region", "requester-pays", "sse",
}

// s3Endpoints are those of services that have one per region.
var s3Endpoints = map[string]string{
	"do":  "https://%s.digitaloceanspaces.com",
	"scw": "https://s3.%s.scw.cloud",
	"hos": "https://%s.your-objectstorage.com",
}

// openS3 opens s3://BUCKET/FOLDER, and the same of do, scw, linode and hos. As
// with kops, S3_ENDPOINT names a service other than Amazon, with S3_REGION,
// S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY beside it. Parameters of the
// address are stronger than the environment.
func openS3(ctx context.Context, url string, opt Options) (*vfs.FS, error) {
	a, err := parseAddress(url, s3Parameters...)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(url, "://")
	root := scheme + "://" + a.host
	settings, err := s3Settings(scheme, a, opt)
	if err != nil {
		return nil, err
	}
	d, err := s3.Open(ctx, settings)
	var hinted interface{ Hint() string }
	switch {
	case err == nil:
		return a.in(d, root), nil
	case errors.Is(err, fs.ErrInvalid) && errors.As(err, &hinted):
		return nil, addressError(root, err.Error(), hinted.Hint())
	}
	return nil, fmt.Errorf("open store %s: %w", root, err)
}

// s3Settings takes from an address and the environment what the driver is told.
func s3Settings(scheme string, a address, opt Options) (s3.Options, error) {
	endpoint, err := s3Endpoint(scheme, a, opt)
	if err != nil {
		return s3.Options{}, err
	}
	elsewhere := endpoint != ""
	settings := s3.Options{
		Bucket: a.host, Endpoint: endpoint, PathStyle: elsewhere, DeleteConditions: !elsewhere,
		Region: a.query.Get("region"), Profile: a.query.Get("profile"),
		Encryption: a.query.Get("sse"), KMSKey: a.query.Get("kms-key"),
		ACL: either(a.query.Get("acl"), strings.TrimSpace(opt.getenv("KOPS_STATE_S3_ACL"))),
	}
	if elsewhere && settings.Profile == "" { // a profile has its own keys and region
		settings.Region = either(settings.Region, opt.getenv("S3_REGION"), "us-east-1")
		settings.Keys = s3.Keys{ID: opt.getenv("S3_ACCESS_KEY_ID"), Secret: opt.getenv("S3_SECRET_ACCESS_KEY")}
	}
	return settings, errors.Join(
		a.flag(scheme, "path-style", &settings.PathStyle),
		a.flag(scheme, "delete-conditions", &settings.DeleteConditions),
		a.flag(scheme, "requester-pays", &settings.RequesterPays),
	)
}

// s3Endpoint is the endpoint of a service other than Amazon, "" for that.
func s3Endpoint(scheme string, a address, opt Options) (string, error) {
	switch given := a.query.Get("endpoint"); {
	case given == "aws" && scheme == "s3":
		return "", nil // even where S3_ENDPOINT is set for another store
	case given != "":
		return given, nil
	}
	if endpoint := opt.getenv("S3_ENDPOINT"); endpoint != "" || scheme == "s3" {
		return endpoint, nil
	}
	region := either(a.query.Get("region"), opt.getenv("S3_REGION"))
	if pattern := s3Endpoints[scheme]; pattern != "" && region != "" {
		return fmt.Sprintf(pattern, url.PathEscape(region)), nil
	}
	return "", addressError(scheme+"://"+a.host, "a store of "+scheme+":// needs the service's endpoint",
		"set S3_ENDPOINT, as kops has it, or say endpoint= in the address")
}

// flag reads a parameter that is true or false, if it is given.
func (a address) flag(scheme, name string, to *bool) error {
	if !a.query.Has(name) {
		return nil
	}
	value, err := strconv.ParseBool(a.query.Get(name))
	if err != nil {
		return addressError(scheme+"://"+a.host, fmt.Sprintf("parameter %s is neither true nor false", name), "say "+name+"=true, or leave it out")
	}
	*to = value
	return nil
}

// either is the first of values that is given.
func either(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
