// Package e2e runs the real thing from outside: the two programs as a person
// would use them, a real etcd and a real Kubernetes control plane, started and
// changed from a store in a directory. It holds tests only.
//
// As root the programs run as an ordinary user who can write nothing but a
// home directory made for the test.
package e2e
