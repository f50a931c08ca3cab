// Package stores tries whole stores on every kind of place there is: memory, a
// directory, and real servers on loopback; with lost replies, killed writers
// and tools that know nothing of us. It has tests only.
package stores
