package store

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"
)

// What the first version wrote is read for ever.
func TestLeaseOfVersionOneIsRead(t *testing.T) {
	b, err := os.ReadFile("testdata/v1/lease")
	if err != nil {
		t.Fatal(err)
	}
	l, err := decodeLease(b)
	if err != nil {
		t.Fatal(err)
	}
	want := Lease{
		"6f0c1c7e-2b0a-4a54-9d4e-0d5a2c1b7f10", "demo.example.com", 42,
		time.Unix(1790000042, 0).UTC(), time.Unix(1790001842, 0).UTC(), "Ada <ada@example.com>", "change freeze",
	}
	if *l != want {
		t.Errorf("read %+v", *l)
	}
	newer := bytes.Replace(b, []byte("lease 1"), []byte("lease 2"), 1)
	var format *FormatError
	if _, err := decodeLease(newer); !errors.As(err, &format) {
		t.Errorf("a newer format: %v", err)
	}
	for i := range b {
		if l, err := decodeLease(b[:i]); err == nil {
			t.Errorf("cut after %d bytes it reads as %+v", i, l)
		}
	}
}
