// Package configs reads the YAML files of domains, runs and studies, strictly: an unknown key or a value out of range
// is an error that names it. The toolkit's own files are embedded in the binary.
package configs

import (
	"embed"
	"encoding"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"illustrator/internal/fault"
	"illustrator/internal/yamlfile"
)

//go:embed domains runs studies
var embedded embed.FS

// file is the text of a configuration and where it came from.
type file struct {
	name string // for messages
	dir  string // the folder that relative paths start from, "" for an embedded file
	data []byte
	// oneLine is true for an assignment of the command line: its lines are not the user's.
	oneLine bool
}

// open reads the file at ref: a path that ends in .yaml or .yml, or the name of an embedded file of kind ("domains",
// "runs" or "studies").
func open(kind, ref string) (file, error) {
	if isFile(ref) {
		data, err := yamlfile.Read(ref)
		if err != nil {
			return file{}, fault.Suggest(err, "give the path of a YAML file, or one of the names %s",
				strings.Join(Names(kind), ", "))
		}
		return file{name: ref, dir: path.Dir(ref), data: data}, nil
	}
	data, err := embedded.ReadFile(path.Join(kind, ref+".yaml"))
	if err != nil {
		what := map[string]string{"domains": "domain", "runs": "run", "studies": "study"}[kind]
		hint := fmt.Sprintf("the names are %s; a file of your own is given by its path, such as my-%s.yaml",
			strings.Join(Names(kind), ", "), what)
		if near := fault.Nearest(ref, Names(kind)); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return file{}, fault.Usage(fmt.Errorf("%s %q is unknown", what, ref), "%s", hint)
	}
	return file{name: ref, data: data}, nil
}

// path returns where the file or folder is that f names as p, as seen from the working directory: p is relative to the
// folder of f. If nothing is there but something is at p as seen from the working directory, p is returned: the program
// wrote such paths into the folders of runs before.
func (f file) path(p string) string {
	if f.dir == "" || !isRelative(p) {
		return p
	}
	beside := filepath.Join(f.dir, p)
	if here, err := os.Getwd(); err == nil && filepath.IsAbs(beside) {
		if short, err := filepath.Rel(here, beside); err == nil && filepath.IsLocal(short) {
			beside = short // a run's settings do not depend on how its file is named
		}
	}
	if !exists(beside) && exists(p) {
		return p
	}
	return beside
}

// isRelative reports whether p is a path that depends on a folder: "embedded:…" and "weights:…" don't.
func isRelative(p string) bool {
	return p != "" && !filepath.IsAbs(p) && !strings.Contains(p, ":")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// isFile reports whether ref is the path of a configuration file, and not the name of an embedded one.
func isFile(ref string) bool {
	ext := path.Ext(ref)
	return ext == ".yaml" || ext == ".yml"
}

// Names lists the embedded files of kind "domains", "runs" or "studies".
func Names(kind string) []string {
	files, _ := fs.Glob(embedded, kind+"/*.yaml")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files
}

// decode reads f into the struct that v points to. Keys that v has no field for are errors.
func decode(f file, v any) error {
	if _, err := yamlfile.Parse(f.data); fault.IsUsage(err) {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	err := yamlfile.Decode(f.data, v)
	if err == nil {
		return nil
	}
	return explain(f, err, v)
}

var (
	unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type (\S+)`)
	wrongValue = regexp.MustCompile("line (\\d+): cannot unmarshal !!(\\w+)(?: `(.*)`)? into (\\S+)")
)

// explain words a YAML error without Go's type names and finds the nearest key to an unknown one.
func explain(f file, err error, v any) error {
	where := func(line string) string {
		if f.oneLine {
			return f.name
		}
		return fmt.Sprintf("%s: line %s", f.name, line)
	}
	if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
		keys := keysOf(reflect.TypeOf(v), m[3])
		hint := fmt.Sprintf("the keys here are %s", strings.Join(keys, ", "))
		if near := fault.Nearest(m[2], keys); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return fault.Usage(fmt.Errorf("%s: unknown key %q", where(m[1]), m[2]), "%s", hint)
	}
	if m := wrongValue.FindStringSubmatch(err.Error()); m != nil {
		have := fmt.Sprintf("%q", m[3])
		if m[3] == "" {
			have = "a " + map[string]string{"seq": "list", "map": "mapping"}[m[2]]
		}
		return fault.Usage(fmt.Errorf("%s: %s is not %s", where(m[1]), have, kindOf(reflect.TypeOf(v), m[4])),
			"see the files in configs/ for examples")
	}
	if fault.IsUsage(err) {
		if document, parsing := yamlfile.Parse(f.data); parsing == nil {
			if line, key := invalidText(document, reflect.TypeOf(v), ""); key != "" && !f.oneLine {
				return fmt.Errorf("%s: line %d: %s: %w", f.name, line, key, err)
			}
		}
		return fmt.Errorf("%s: %w", f.name, err)
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	return fault.Usage(fmt.Errorf("%s: %s", f.name, text), "see the files in configs/ for examples")
}

// invalidText finds the first text in n that the type t, or one within it, refuses to read, and returns its line and
// its key with those around it; key is that of n.
func invalidText(n *yaml.Node, t reflect.Type, key string) (line int, invalid string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.DocumentNode && len(n.Content) == 1:
		return invalidText(n.Content[0], t, key)
	case n.Kind == yaml.ScalarNode:
		if v, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok && n.Tag != "!!null" &&
			v.UnmarshalText([]byte(n.Value)) != nil {
			return n.Line, key
		}
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			if line, invalid = invalidText(item, t.Elem(), fmt.Sprintf("%s[%d]", key, i)); invalid != "" {
				return line, invalid
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if line, invalid = invalidText(n.Content[i+1], t.Elem(),
				strings.TrimPrefix(key+"."+n.Content[i].Value, ".")); invalid != "" {
				return line, invalid
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i].Value
			field, ok := fieldOf(t, name)
			if !ok {
				continue
			}
			if line, invalid = invalidText(n.Content[i+1], field, strings.TrimPrefix(key+"."+name, ".")); invalid != "" {
				return line, invalid
			}
		}
	}
	return 0, ""
}

// fieldOf returns the type of the field of struct t with a YAML key.
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// kindOf names a Go type within t for someone who writes YAML.
func kindOf(t reflect.Type, goType string) string {
	named := typeNamed(t, goType, map[reflect.Type]bool{})
	switch {
	case named != nil && named.Kind() == reflect.String:
		return "a word"
	case strings.HasPrefix(goType, "uint"):
		return "a whole number, 0 or more"
	case strings.HasPrefix(goType, "int"):
		return "a whole number"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.Contains(goType, "."):
		return "a mapping of keys"
	}
	return "a " + goType
}

// keysOf lists the YAML keys of the struct type called name within t.
func keysOf(t reflect.Type, name string) []string {
	t = typeNamed(t, name, map[reflect.Type]bool{})
	if t == nil {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); key != "-" && key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// typeNamed returns the type called name within t, or nil.
func typeNamed(t reflect.Type, name string, seen map[reflect.Type]bool) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.String() == name {
		return t
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	for i := range t.NumField() {
		if named := typeNamed(t.Field(i).Type, name, seen); named != nil {
			return named
		}
	}
	return nil
}
