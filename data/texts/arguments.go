package texts

import (
	"fmt"
	"strings"

	"illustrator/internal/fault"
)

// Gather returns the texts in args, and after them those of a file unless path is "".
func Gather(args []string, path string) ([]Text, error) {
	var descriptions []Text
	for i, arg := range args {
		t, err := New(arg)
		if err != nil {
			return nil, fmt.Errorf("text %d: %w", i+1, err)
		}
		descriptions = append(descriptions, t)
	}
	if path == "" {
		return descriptions, nil
	}
	more, err := Read(path)
	return append(descriptions, more...), fault.Suggest(err,
		"give a file of one text a line, or a .json, .jsonl, .csv or .tsv file")
}

// ParseAttributes reads NAME=VALUE; a repeated name accepts several values.
func ParseAttributes(list []string) (map[string][]string, error) {
	attributes := map[string][]string{}
	for _, item := range list {
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" || value == "" {
			return nil, fault.Usage(fmt.Errorf("attribute %q has no value", item), "write NAME=VALUE, such as color=red")
		}
		attributes[name] = append(attributes[name], value)
	}
	return attributes, nil
}
