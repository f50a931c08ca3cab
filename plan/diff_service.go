package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stateroom/stateroom/bundle"
)

// services compares the services in the order in which the new bundle starts
// them; those that are gone come last.
func (d *comparison) services() {
	old, new := byName(d.old.Services, serviceName), byName(d.new.Services, serviceName)
	for _, b := range d.new.Services {
		a, was := old[b.Name]
		if !was {
			d.add(Change{Kind: KindService, Name: b.Name, Action: Add, Effect: Start, Why: b.Name + " starts"})
			continue
		}
		c := Change{Kind: KindService, Name: b.Name, Action: Modify, Text: Unified(lines(a.Args), lines(b.Args))}
		if reasons := d.reasons(a, b); len(reasons) > 0 {
			c.Effect = Effect(b.Disruption)
			c.Why = b.Name + " " + verb(b.Disruption) + ": " + strings.Join(reasons, "; ")
			d.add(c)
		} else if kept := keptReasons(a, b); len(kept) > 0 {
			c.Why = b.Name + " runs on: " + strings.Join(kept, "; ")
			d.add(c)
		}
	}
	for _, a := range d.old.Services {
		if _, is := new[a.Name]; !is {
			d.add(Change{Kind: KindService, Name: a.Name, Action: Remove, Effect: Stop, Why: a.Name + " stops"})
		}
	}
}

// verb says what a disruption does to a service.
func verb(disruption string) string {
	switch disruption {
	case bundle.DisruptionReload:
		return "reloads"
	case bundle.DisruptionNone:
		return "changes"
	case bundle.DisruptionDrain:
		return "restarts after a drain"
	}
	return "restarts"
}

// reasons are why a service that stays does not run on as it is: its command
// line, the files and certificates it needs, its program. By the same three a
// node tells whether to restart it.
func (d *comparison) reasons(a, b bundle.Service) []string {
	all := argReasons(a.Args, b.Args)
	for _, path := range b.Needs {
		why := d.need(path)
		if why == "" && !slices.Contains(a.Needs, path) {
			why = path + " is needed too"
		}
		if why != "" {
			all = append(all, why)
		}
	}
	for _, path := range a.Needs {
		if !slices.Contains(b.Needs, path) {
			all = append(all, path+" is not needed any more")
		}
	}
	return append(all, d.program(a, b)...)
}

// keptReasons are what changes around a service that runs on.
func keptReasons(a, b bundle.Service) (all []string) {
	for _, same := range []struct {
		equal bool
		why   string
	}{
		{slices.Equal(a.After, b.After), "what it starts after changes"},
		{sameProbe(a.Ready, b.Ready), "how it is probed changes"},
		{a.StopSeconds == b.StopSeconds, "how long it may take to stop changes"},
		{a.Disruption == b.Disruption, "how its changes are made changes"},
	} {
		if !same.equal {
			all = append(all, same.why)
		}
	}
	return all
}

// argReasons compares command lines flag by flag; where an argument is no
// --flag=value, or the order alone differs, as a whole.
func argReasons(a, b []string) (all []string) {
	old, new := byFlag(a), byFlag(b)
	for _, flag := range union(old, new) {
		if before, after := old[flag], new[flag]; before != after {
			all = append(all, flag+": "+fromTo(orUnset(old, flag), orUnset(new, flag)))
		}
	}
	if len(all) == 0 && !slices.Equal(a, b) {
		return []string{"the order of its arguments changes"}
	}
	return all
}

func byFlag(args []string) map[string]string {
	m := map[string]string{}
	for _, arg := range args {
		flag, value, _ := strings.Cut(arg, "=")
		if before, ok := m[flag]; ok {
			value = before + "," + value
		}
		m[flag] = value
	}
	return m
}

func orUnset(m map[string]string, flag string) string {
	value, ok := m[flag]
	switch {
	case !ok:
		return unset
	case value == "":
		return `""`
	}
	return value
}

// need says how a file or certificate that a service needs changes, or nothing.
func (d *comparison) need(path string) string {
	oldFile, wasFile := byName(d.old.Files, filePath)[path]
	newFile, isFile := byName(d.new.Files, filePath)[path]
	oldRequest, wasRequest := byName(d.old.Certificates, certificatePath)[path]
	newRequest, isRequest := byName(d.new.Certificates, certificatePath)[path]
	switch {
	case isFile && wasFile && !sameContent(oldFile, newFile):
		return path + " changes"
	case isRequest && wasRequest && len(d.certificateReasons(oldRequest, newRequest)) > 0:
		return "certificate " + path + " is issued anew"
	case isFile && !wasFile, isRequest && !wasRequest:
		return path + " is new"
	}
	return ""
}

// program says how what a service runs changes.
func (d *comparison) program(a, b bundle.Service) []string {
	if a.Program != b.Program {
		return []string{"program: " + fromTo(a.Program, b.Program)}
	}
	before, after := assetOf(d.old, a.Program), assetOf(d.new, b.Program)
	switch {
	case before.SHA256 == after.SHA256 && before.Member == after.Member:
		return nil
	case d.old.Version != d.new.Version:
		return []string{"kubernetes: " + fromTo(d.old.Version, d.new.Version)}
	}
	return []string{"program " + b.Program + ": sha256 " + fromTo(short(before.SHA256, true), short(after.SHA256, true))}
}

func assetOf(b *bundle.Bundle, program string) bundle.Asset {
	for _, a := range b.Assets {
		if slices.Contains(a.Programs, program) {
			return a
		}
	}
	return bundle.Asset{}
}

func sameProbe(a, b *bundle.Probe) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// certificateReasons are why a certificate is issued anew: the request, or the
// certificate of the authority that signs.
func (d *comparison) certificateReasons(a, b bundle.CertificateRequest) []string {
	all := requestReasons(a, b)
	if a.Issuer == b.Issuer && signing(d.old, a.Issuer) != signing(d.new, b.Issuer) {
		all = append(all, "its authority changes")
	}
	return all
}

// signing is the first certificate of an authority, whose key signs.
func signing(b *bundle.Bundle, issuer string) string {
	return pemBlock.FindString(byName(b.Files, filePath)[issuer+".crt"].Content)
}

// requestReasons compares two requests field by field.
func requestReasons(a, b bundle.CertificateRequest) (all []string) {
	one := func(what, before, after string) {
		if before != after {
			all = append(all, what+": "+fromTo(before, after))
		}
	}
	many := func(what string, before, after []string) {
		var parts []string
		for _, v := range after {
			if !slices.Contains(before, v) {
				parts = append(parts, "+"+v)
			}
		}
		for _, v := range before {
			if !slices.Contains(after, v) {
				parts = append(parts, "-"+v)
			}
		}
		if len(parts) > 0 {
			all = append(all, what+": "+strings.Join(parts, " "))
		}
	}
	one("issuer", a.Issuer, b.Issuer)
	one("common name", a.CommonName, b.CommonName)
	many("organization", a.Organization, b.Organization)
	many("names", a.DNSNames, b.DNSNames)
	many("addresses", a.IPs, b.IPs)
	many("usages", a.Usages, b.Usages)
	one("days", fmt.Sprint(a.Days), fmt.Sprint(b.Days))
	if len(all) == 0 && certificateText(a, true) != certificateText(b, true) {
		all = append(all, "the order in it changes") // and a host goes by that, too
	}
	return all
}

func certificateText(c bundle.CertificateRequest, there bool) string {
	if !there {
		return ""
	}
	return lines(slices.Concat(
		[]string{"issuer " + c.Issuer, "common name " + c.CommonName},
		each("organization ", c.Organization), each("name ", c.DNSNames), each("address ", c.IPs), each("usage ", c.Usages),
		[]string{fmt.Sprintf("days %d", c.Days)},
	))
}

func each(prefix string, list []string) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = prefix + v
	}
	return all
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}
