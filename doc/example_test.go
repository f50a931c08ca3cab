package doc_test

import (
	"fmt"

	"github.com/stateroom/stateroom/doc"
)

func Example() {
	docs, err := doc.Parse([]byte(`# the harbour's cluster
kind: Cluster
spec:
  kubeAPIServer:
    maxRequestsInflight: 800   # ask ada
  networking: {cni: {}}
`))
	if err != nil {
		panic(err)
	}
	d := docs[0]
	if err := d.Set(801, "spec", "kubeAPIServer", "maxRequestsInflight"); err != nil {
		panic(err)
	}
	if err := d.Set("n", "spec", "cloudLabels", "example.com/on"); err != nil {
		panic(err)
	}
	fmt.Printf("%s", doc.Join(docs))
	for _, s := range d.Changed() {
		fmt.Printf("%d-%d %q\n", s.Start, s.End, s.Text)
	}
	// Output:
	// # the harbour's cluster
	// kind: Cluster
	// spec:
	//   cloudLabels:
	//     example.com/on: "n"
	//   kubeAPIServer:
	//     maxRequestsInflight: 801   # ask ada
	//   networking: {cni: {}}
	// 44-44 "  cloudLabels:\n    example.com/on: \"n\"\n"
	// 88-89 "1"
}
