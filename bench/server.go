package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// server is an S3 server in memory that is some way off.
type server struct {
	url     string
	backend *s3mem.Backend
	http    *http.Server

	mu   sync.Mutex
	seen []request
}

// request is one that a command made.
type request struct {
	what       string // "GET /bucket/key"
	begun, end time.Time
}

func startServer(delay time.Duration) (*server, error) {
	s := &server{backend: s3mem.New()}
	inner := gofakes3.New(s.backend).Server()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.http = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		time.Sleep(delay)
		inner.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, request{r.Method + " " + r.URL.RequestURI(), begun, time.Now()})
	})}
	go s.http.Serve(listener) //nolint:errcheck // ends with close
	return s, nil
}

func (s *server) close() { _ = s.http.Close() }

// taken returns the requests since the last call.
func (s *server) taken() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.seen
	s.seen = nil
	return all
}

// inARow is how many requests came one after the other: the longest chain in
// which none begins before the one before it has ended.
func inARow(requests []request) int {
	slices.SortFunc(requests, func(a, b request) int { return a.end.Compare(b.end) })
	chain := 0
	var last time.Time
	for _, r := range requests {
		if r.begun.After(last) {
			chain++
			last = r.end
		}
	}
	return chain
}
