package configs

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"illustrator/internal/yamlfile"
)

// Setting is a key that several files of runs may have, such as train.stages[0].losses.l1,
// and its value in each of them.
type Setting struct {
	Key    string
	Values []string // "" where a file has no such key
}

// Differ reports whether the files don't all have the same value.
func (s Setting) Differ() bool {
	return slices.ContainsFunc(s.Values, func(v string) bool { return v != s.Values[0] })
}

// IsPath reports whether the values may be paths, which a run's file stores relative to its folder.
func (s Setting) IsPath() bool { return s.Key == "domain" || s.Key == "init" }

// Settings lists all keys of one or more files of runs, in the order in which the files have them.
func Settings(files ...[]byte) ([]Setting, error) {
	var all []Setting
	for i, file := range files {
		document, err := yamlfile.Parse(file)
		if err != nil {
			return nil, err
		}
		after := -1 // the place of the key before
		collect("", document, func(key, value string) {
			at := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
			if at < 0 {
				at = after + 1
				all = slices.Insert(all, at, Setting{key, make([]string, len(files))})
			}
			all[at].Values[i], after = value, at
		})
	}
	return all, nil
}

// collect calls found for every scalar, and every empty list and mapping, below a node.
func collect(key string, n *yaml.Node, add func(key, value string)) {
	switch {
	case n.Kind == 0: // an empty file
	case n.Kind == yaml.DocumentNode:
		collect(key, n.Content[0], add)
	case n.Kind == yaml.AliasNode:
		add(key, "*"+n.Value) // not followed: it may lead back
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		for i, entry := range n.Content {
			collect(fmt.Sprintf("%s[%d]", key, i), entry, add)
		}
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		for i := 0; i+1 < len(n.Content); i += 2 {
			collect(strings.TrimPrefix(key+"."+n.Content[i].Value, "."), n.Content[i+1], add)
		}
	case n.Kind == yaml.SequenceNode:
		add(key, "[]")
	case n.Kind == yaml.MappingNode:
		add(key, "{}")
	case n.Value == "":
		add(key, `""`)
	default:
		add(key, n.Value)
	}
}

// Difference names the first setting in which two files of a run differ, and both values.
func Difference(have, want []byte) string {
	settings, err := Settings(have, want)
	if err != nil {
		return "its file is not YAML"
	}
	for _, s := range settings {
		there, here := s.Values[0], s.Values[1]
		switch {
		case there == here:
		case there == "":
			return fmt.Sprintf("%s is missing there, %s here", s.Key, here)
		case here == "":
			return fmt.Sprintf("%s is %s there, missing here", s.Key, there)
		default:
			return fmt.Sprintf("%s is %s there, %s here", s.Key, there, here)
		}
	}
	return "only in how the file is written"
}
