package backends

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/vfs"
)

// address is the URL of a store in an object store, taken apart.
type address struct {
	host  string
	path  string // without slashes at its ends
	query url.Values
}

// parseAddress takes apart SCHEME://HOST/PATH?NAME=VALUE. Only the parameters
// named are taken. Neither a user nor a parameter's value is part of an error:
// they may be secrets.
func parseAddress(text string, parameters ...string) (address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return address{}, addressError(text, "it is not a URL", "write %25 for a % in the name of a folder")
	}
	if u.User != nil {
		return address{}, addressError(text, "it has a user in it", "credentials are taken from the environment")
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		return address{}, addressError(text, "it has a # in it", "write %23 for a # in the name of a folder")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, addressError(text, "its parameters cannot be read", "write them as ?NAME=VALUE&NAME=VALUE")
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(parameters, name) || len(q[name]) != 1 {
			return address{}, addressError(text, fmt.Sprintf("parameter %q is unknown here, or there twice", name),
				"the parameters are "+strings.Join(parameters, ", "))
		}
	}
	path := strings.Trim(u.Path, "/")
	if path != "" && !vfs.ValidKey(path) {
		return address{}, addressError(text, fmt.Sprintf("%q cannot be a folder in it", path), "leave out //, /./ and /../")
	}
	return address{host: u.Host, path: path, query: q}, nil
}

// refusedAddress is the error of a driver that did not open: a refusal of the
// address, with a hint how it is written, where it is one.
func refusedAddress(text, root string, err error, hint string) error {
	if !errors.Is(err, fs.ErrInvalid) {
		return fmt.Errorf("open store %s: %w", root, err)
	}
	return addressError(text, strings.TrimSuffix(err.Error(), ": "+fs.ErrInvalid.Error()), hint)
}

// in returns the folder of an address in a driver that is all of root.
func (a address) in(d vfs.Driver, root string) *vfs.FS { return vfs.New(d, root).Sub(a.path) }

// AddressError is the refusal of the address of a store.
type AddressError struct {
	URL  string // without user, parameters and fragment
	Why  string
	hint string
}

func addressError(text, why, hint string) *AddressError {
	text, _, _ = strings.Cut(text, "?")
	text, _, _ = strings.Cut(text, "#")
	return &AddressError{URL: withoutUser(text), Why: why, hint: hint}
}

func (e *AddressError) Error() string { return fmt.Sprintf("open store %s: %s", e.URL, e.Why) }

// Unwrap says that the address is invalid.
func (e *AddressError) Unwrap() error { return fs.ErrInvalid }

// Hint says how it is written.
func (e *AddressError) Hint() string { return e.hint }
