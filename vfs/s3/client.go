package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stateroom/stateroom/internal/wire"
)

// connections are kept alive to one host: S3 has no HTTP/2, so that this bounds
// what is under way at once.
const connections = 128

func newClient(ctx context.Context, opt Options) (*s3.Client, error) {
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(pool()),
		config.WithLogger(logging.Nop{}),
	}
	if opt.Region != "" {
		load = append(load, config.WithRegion(opt.Region))
	}
	if opt.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opt.Profile))
	}
	if opt.Keys.ID != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(opt.Keys.ID, opt.Keys.Secret, "")))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, configError(opt, err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { opt.apply(o) }), nil
}

// apply sets what differs from the SDK's defaults.
func (opt Options) apply(o *s3.Options) {
	if opt.Endpoint != "" {
		o.BaseEndpoint = aws.String(endpointURL(opt.Endpoint))
	}
	if o.BaseEndpoint == nil && o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateUnset && dualStack(o.Region) {
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled // as kops, so that hosts with IPv6 alone work
	}
	if opt.PathStyle {
		o.UsePathStyle = true
	}
	o.Credentials = identity{o.Credentials}
	o.Retryer, o.RetryMaxAttempts = aws.NopRetryer{}, 0
	// Sums beyond Content-MD5 make other services refuse.
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	o.DisableLogOutputChecksumValidationSkipped = true
	transport := opt.Transport
	if own, ok := o.HTTPClient.(*awshttp.BuildableClient); ok && transport == nil {
		transport = own.GetTransport()
	}
	// A redirect is answered by signing anew for where it leads.
	o.HTTPClient = &http.Client{Transport: wire.Bounded(transport), CheckRedirect: wire.NoRedirects}
}

// dualStack reports whether a region has endpoints for IPv4 and IPv6 under one
// name: all but those of the isolated partitions.
func dualStack(region string) bool { return !strings.Contains(region, "-iso") }

// pool is the HTTP client of one driver. The SDK adds a bundle of authorities
// to it where AWS_CA_BUNDLE or the profile names one.
func pool() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithReadTimeout(0).WithTransportOptions(func(t *http.Transport) {
		t.MaxConnsPerHost = connections
		t.MaxIdleConnsPerHost = connections
		t.MaxIdleConns = 2 * connections
		t.IdleConnTimeout = 90 * time.Second
		t.ForceAttemptHTTP2 = false
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{} // not nil: no HTTP/2
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}                     // the SDK's own transport offers h2 already
	})
}

// endpointURL adds the scheme that kops' documentation leaves out.
func endpointURL(endpoint string) string {
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	return strings.TrimRight(endpoint, "/")
}

func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	const hint = "an endpoint is an URL as https://s3.example.com, or http://127.0.0.1:9000"
	u, err := url.Parse(endpointURL(endpoint))
	switch {
	case err != nil:
		return invalid(hint, "the endpoint is not an URL") // nothing of it: it may hold a password
	case u.User != nil:
		return invalid("set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY instead", "the endpoint %s holds credentials", u.Host)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return invalid(hint, "the endpoint %s://%s is not that of a service", u.Scheme, u.Host) // what follows a ? may be a secret
	}
	return nil
}

// identity marks what goes wrong in finding credentials, which else looks like
// any failed request.
type identity struct{ aws.CredentialsProvider }

func (i identity) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if i.CredentialsProvider == nil {
		return aws.Credentials{}, &credentialsError{errors.New("none are configured")}
	}
	c, err := i.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{err}
	}
	return c, nil
}

type credentialsError struct{ err error }

// none reports whether there are no credentials, or the host's own service that
// gives them out is not there: the last place where the SDK looks.
func (e *credentialsError) none() bool {
	return strings.Contains(e.err.Error(), "no EC2 IMDS role found")
}

// passing reports whether credentials may be had later: the service that gives
// them out is not reached, or in trouble.
func (e *credentialsError) passing() bool {
	var answer *smithyhttp.ResponseError
	var unanswered *url.Error
	switch {
	case e.none():
		return false
	case errors.As(e.err, &answer) && answer.HTTPStatusCode() != 0:
		return answer.HTTPStatusCode() >= 500 || answer.HTTPStatusCode() == http.StatusTooManyRequests
	}
	return errors.As(e.err, &unanswered)
}

func (e *credentialsError) Error() string {
	var program *processcreds.ProviderError
	switch {
	case e.none():
		return "no credentials: none in the environment, none in a profile, and this host has no role"
	case errors.As(e.err, &program) && strings.Contains(program.Error(), "output: "): // all of it follows, with the keys
		return "no credentials: what the program of the profile (credential_process) prints is not the JSON that is wanted"
	}
	return "no credentials: " + e.err.Error()
}

func (e *credentialsError) Unwrap() error { return e.err }

// configError says what is wrong with the SDK's configuration.
func configError(opt Options, err error) error {
	var profile config.SharedConfigProfileNotExistError
	if errors.As(err, &profile) {
		return &settingError{
			fmt.Sprintf("there is no profile %q", profile.Profile),
			"aws configure list-profiles says which there are; AWS_PROFILE or profile= in the address choose one", fs.ErrInvalid,
		}
	}
	return &settingError{"read the configuration of the AWS SDK: " + wire.Brief(err.Error()), "look at ~/.aws/config and at the AWS_ variables of the environment", fs.ErrInvalid}
}
