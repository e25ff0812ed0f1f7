// Package configs reads the YAML files of domains, runs and studies, strictly: an unknown key or a value out of range is an error
// that names it. The toolkit's own files are embedded in the binary.
package configs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"illustrator/internal/fault"
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

// open reads the file at ref: a path that ends in .yaml or .yml, or the name of an embedded file of kind ("domains", "runs"
// or "studies").
func open(kind, ref string) (file, error) {
	if ext := path.Ext(ref); ext == ".yaml" || ext == ".yml" {
		data, err := os.ReadFile(ref)
		if err != nil {
			return file{}, fault.Hint(err, "give the path of a YAML file, or one of the names %s", strings.Join(Names(kind), ", "))
		}
		return file{name: ref, dir: path.Dir(ref), data: data}, nil
	}
	data, err := embedded.ReadFile(path.Join(kind, ref+".yaml"))
	if err != nil {
		what := map[string]string{"domains": "domain", "runs": "run", "studies": "study"}[kind]
		hint := fmt.Sprintf("the names are %s; a file of your own is given by its path, such as my-%s.yaml", strings.Join(Names(kind), ", "), what)
		if near := fault.Nearest(ref, Names(kind)); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return file{}, fault.Usage(fmt.Errorf("%s %q is unknown", what, ref), "%s", hint)
	}
	return file{name: ref, data: data}, nil
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
	decoder := yaml.NewDecoder(bytes.NewReader(f.data))
	decoder.KnownFields(true)
	err := decoder.Decode(v)
	if errors.Is(err, io.EOF) {
		return fault.Usage(fmt.Errorf("%s: the file is empty", f.name), "see the files in configs/ for examples")
	}
	if err == nil {
		if decoder.Decode(new(any)) != io.EOF {
			return fault.Usage(fmt.Errorf("%s: a second YAML document follows the first", f.name), "keep one document in the file")
		}
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
		keys := keysOf(reflect.TypeOf(v), m[3], map[reflect.Type]bool{})
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
		return fault.Usage(fmt.Errorf("%s: %s is not %s", where(m[1]), have, kindOf(m[4])), "see the files in configs/ for examples")
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	return fault.Usage(fmt.Errorf("%s: %s", f.name, text), "see the files in configs/ for examples")
}

// kindOf names one of Go's types for someone who writes YAML.
func kindOf(goType string) string {
	switch {
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
func keysOf(t reflect.Type, name string, seen map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	var keys []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if t.String() == name && key != "-" && key != "" {
			keys = append(keys, key)
		}
	}
	if t.String() == name {
		slices.Sort(keys)
		return keys
	}
	for i := range t.NumField() {
		if found := keysOf(t.Field(i).Type, name, seen); found != nil {
			return found
		}
	}
	return nil
}
