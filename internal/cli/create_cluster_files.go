package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stateroom/stateroom/cluster"
)

// Limits of what create cluster reads.
const (
	maxFacts    = 4 << 20
	channelWait = 30 * time.Second
)

// readCreateFiles reads what the flags name, and says which cloud is meant.
func (env *Env) readCreateFiles(ctx context.Context, o *createClusterOptions, store string) error {
	n := &o.new
	if n.Cloud = o.cloud; n.Cloud == "" && len(n.Zones) > 0 {
		n.Cloud = cluster.GuessCloud(store, func(variable string) bool { return env.Getenv(variable) != "" })
	}
	if n.Azure.SubscriptionID == "" && n.Cloud == "azure" {
		n.Azure.SubscriptionID = env.Getenv("AZURE_SUBSCRIPTION_ID")
	}
	if o.facts != "" {
		b, err := readNamed(ctx, o.facts, maxFacts)
		if err != nil {
			return err
		}
		if n.Facts, err = cluster.ParseFacts(o.facts, b); err != nil {
			return err
		}
	}
	return env.readChannel(ctx, o)
}

// readChannel reads the channel: a name, a file or a URL. The document says the
// name or the URL; for a file it says stable, since the file is of this machine.
func (env *Env) readChannel(ctx context.Context, o *createClusterOptions) error {
	n := &o.new
	switch {
	case o.channel == "" || o.channel == cluster.DefaultChannel:
		n.Channel = cluster.DefaultChannel
		return nil
	case o.channel == "none":
		n.Channel, n.Defaults = "none", &cluster.Channel{}
		return nil
	}
	n.Channel = cluster.DefaultChannel
	read := func() ([]byte, error) { return readNamed(ctx, o.channel, maxFacts) }
	if u, err := url.Parse(o.channel); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		n.Channel = o.channel
		read = func() ([]byte, error) { return download(ctx, o.channel) }
	} else if err == nil && u.Scheme == "file" {
		n.Channel = o.channel
		read = func() ([]byte, error) { return readNamed(ctx, u.Path, maxFacts) }
	} else if !strings.ContainsAny(o.channel, "./") {
		return usagef("--channel stable, a file such as ./stable, or its URL", "there is no channel %q here", o.channel)
	}
	b, err := read()
	if err != nil {
		return err
	}
	n.Defaults, err = cluster.ParseChannel(o.channel, b)
	return err
}

// download reads a small file from the web.
func download(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, channelWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the channel: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read the channel %s: %s", req.URL.Redacted(), resp.Status)
	}
	return readAll(req.URL.Redacted(), resp.Body, maxFacts)
}

// readSSHKey reads the file of a public key.
func (env *Env) readSSHKey(ctx context.Context, path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = env.Getenv("HOME") + "/" + rest
	}
	b, err := readNamed(ctx, path, maxKey)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(b))
	if strings.Contains(key, "PRIVATE KEY") {
		return "", advise(errors.New(path+" is a private key"), "the public one stands beside it: %s.pub", path)
	}
	return key, nil
}

// maxKey bounds the file of a public key, in bytes.
const maxKey = 64 << 10
