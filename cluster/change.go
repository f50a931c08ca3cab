package cluster

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/stateroom/stateroom/doc"
)

// change does one line at one place.
func (l line) change(d *doc.Document, t target) error {
	if l.op == opUnset {
		return d.Unset(t.path...)
	}
	switch {
	case l.op == opReplace:
		return l.replaceList(d, t)
	case t.field.Type == List:
		return l.changeList(d, t)
	case t.field.Type == Map:
		return l.changeMap(d, t)
	case l.op != opSet:
		return fmt.Errorf("%s is for lists and maps, this is %s", l.op, wanted(t.field))
	case t.field.Type == Object:
		return l.makeObject(d, t)
	}
	value, err := parseValue(t.field, l.value)
	if err != nil {
		return err
	}
	return t.put(d, value)
}

// put writes a value with the parents it lacks, unless it is there already.
func (t target) put(d *doc.Document, value any) error {
	if now, ok := d.Get(t.path...); ok && reflect.DeepEqual(now, value) {
		return nil
	}
	end := len(t.path)
	for i, element := range t.element {
		if list, _ := d.Get(t.path[:i]...); element && list == nil {
			end = i // doc cannot know that a list is to be made here
			break
		}
	}
	for i := len(t.path) - 1; i >= end; i-- {
		if t.element[i] {
			value = []any{value}
		} else {
			value = map[string]any{t.path[i]: value}
		}
	}
	return d.Set(value, t.path[:end]...)
}

func (l line) makeObject(d *doc.Document, t target) error {
	if l.value != "" {
		return fmt.Errorf("an object takes no value: name one of its fields, or say %s= for an empty one", l.path)
	}
	if now, ok := d.Get(t.path...); ok && now != nil {
		return nil
	}
	return t.put(d, map[string]any{})
}

// maxItems bounds what one line does to a list.
const maxItems = 200

// changeList appends, adds or takes away elements. What is there is edited in
// place; what is new is put behind it in one edit.
func (l line) changeList(d *doc.Document, t target) error {
	list, err := listAt(d, t)
	if err != nil {
		return err
	}
	items := splitList(l.value)
	if len(items) > maxItems {
		return fmt.Errorf("%d items at once, at most %d are allowed", len(items), maxItems)
	}
	there := len(list)
	for _, text := range items {
		value, same, err := l.element(t.field.Elem, text)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, same)
		switch {
		case l.op == opSet, l.op == opAdd && at < 0:
			list = append(list, value)
		case l.op == opAdd:
			list[at] = value
			if at < there {
				err = t.at(at).put(d, value)
			}
		case l.op == opRemove:
			for ; at >= 0 && err == nil; at = slices.IndexFunc(list, same) {
				list = slices.Delete(list, at, at+1)
				err = d.Unset(t.at(at).path...)
			}
		}
		if err != nil {
			return err
		}
	}
	if l.op == opRemove {
		return nil
	}
	return t.put(d, list)
}

// at is the element i of the list at t.
func (t target) at(i int) target { return t.below(strconv.Itoa(i), t.field.Elem) }

// element reads one item for a list of scalars, or NAME=TEXT for a list of
// objects that have a name and a value; same tells which elements it stands
// for.
func (l line) element(f *Field, text string) (value any, same func(any) bool, err error) {
	if f.Type != Object {
		if text == "" && l.op != opRemove {
			return nil, nil, fmt.Errorf("an empty item; --unset %s empties the list", l.path)
		}
		parse := parseValue
		if l.op == opRemove { // what is wrong can be taken away
			parse = parseScalar
		}
		value, err = parse(f, text)
		return value, func(e any) bool { return reflect.DeepEqual(e, value) }, err
	}
	if f.child("name") == nil || f.child("value") == nil {
		return nil, nil, fmt.Errorf("a list of objects: say which one and which field, as in %s[0].%s", l.path, firstField(f))
	}
	name, val, ok := strings.Cut(text, "=")
	if !ok && l.op != opRemove || name == "" || !cleanText(text) {
		return nil, nil, fmt.Errorf("%q is not NAME=VALUE", shorten(text))
	}
	return map[string]any{"name": name, "value": val}, func(e any) bool { return textOf(e, "name") == name }, nil
}

func firstField(f *Field) string {
	if len(f.fields) == 0 {
		return "field"
	}
	return f.fields[0].name
}

// changeMap sets KEY=TEXT, or takes a key away.
func (l line) changeMap(d *doc.Document, t target) error {
	key, text, ok := strings.Cut(l.value, "=")
	if l.op == opRemove {
		if ok || key == "" {
			return fmt.Errorf("%q is no key", shorten(l.value))
		}
		return d.Unset(t.below(key, nil).path...)
	}
	if !ok || key == "" || !cleanText(key) {
		return fmt.Errorf("%q is not KEY=VALUE, as a %s takes it", shorten(l.value), t.field)
	}
	elem := t.field.Elem
	if elem.Type == List {
		return line{op: opReplace, list: splitList(text)}.replaceList(d, t.below(key, elem))
	}
	value, err := parseValue(elem, text)
	if err != nil {
		return err
	}
	return t.below(key, elem).put(d, value)
}

// replaceList makes the list hold exactly these elements.
func (l line) replaceList(d *doc.Document, t target) error {
	list := []any{}
	for _, text := range l.list {
		value, _, err := l.element(t.field.Elem, text)
		if err != nil {
			return err
		}
		list = append(list, value)
	}
	return t.put(d, list)
}
