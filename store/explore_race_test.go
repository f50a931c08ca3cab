//go:build race

package store_test

// raced says that the race detector is on, under which millions of situations
// take too long.
const raced = true
