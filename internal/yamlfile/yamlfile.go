// Package yamlfile reads YAML strictly and in bounded work: one document, whose size, keys, depth and aliases are
// checked before it is decoded. The library compares each key of a mapping with every other, and follows aliases as
// often as they stand there.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Limits of a document. The toolkit's own have at most 8 KB, 20 keys in a mapping and a depth of 6.
const (
	maxBytes   = 1 << 20
	maxKeys    = 1000   // of one mapping
	maxNodes   = 20_000 // keys, values, lists and mappings, those behind aliases each time
	maxDepth   = 32
	maxAliases = 100
)

// ErrEmpty is the error of a file without a document.
var ErrEmpty = errors.New("the file is empty")

// Read returns the content of a regular file of at most 1 MiB.
func Read(path string) ([]byte, error) { return files.ReadFile(path, maxBytes) }

// Decode reads data into the struct that v points to. Keys that v has no field for are errors of the library's, and
// so is a value of another type.
func Decode(data []byte, v any) error {
	if _, err := Parse(data); err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(v)
	if errors.Is(err, io.EOF) {
		return ErrEmpty
	}
	if err != nil {
		return err
	}
	if decoder.Decode(new(yaml.Node)) != io.EOF {
		return fault.Usage(errors.New("a second YAML document follows the first"), "keep one document in the file")
	}
	return nil
}

// Parse returns the document's tree, which keeps to the limits. Without a document it is a node of kind 0.
func Parse(data []byte) (*yaml.Node, error) {
	if len(data) > maxBytes {
		return nil, tooMuch(fmt.Errorf("it has %d bytes", len(data)))
	}
	document := new(yaml.Node)
	if err := yaml.Unmarshal(data, document); err != nil {
		return nil, err
	}
	w := walk{open: map[*yaml.Node]bool{}}
	return document, w.node(document, 0)
}

// walk counts the nodes of a document.
type walk struct {
	nodes, aliases int
	open           map[*yaml.Node]bool // the node with those around it
}

func (w *walk) node(n *yaml.Node, depth int) error {
	w.nodes++
	switch {
	case w.nodes > maxNodes:
		return tooMuch(fmt.Errorf("it has more than %d keys and values", maxNodes))
	case depth > maxDepth:
		return tooMuch(fmt.Errorf("line %d: it nests more than %d deep", n.Line, maxDepth))
	case n.Kind == yaml.MappingNode && len(n.Content) > 2*maxKeys:
		return tooMuch(fmt.Errorf("line %d: a mapping has %d keys", n.Line, len(n.Content)/2))
	case n.Kind == yaml.AliasNode && n.Alias != nil:
		if w.aliases++; w.aliases > maxAliases {
			return tooMuch(fmt.Errorf("it has more than %d aliases", maxAliases))
		}
		if w.open[n.Alias] {
			return fault.Usage(fmt.Errorf("line %d: *%s stands within what it names", n.Line, n.Value), "write the value out")
		}
		return w.node(n.Alias, depth+1)
	}
	if err := checkKeys(n); err != nil {
		return err
	}
	w.open[n] = true
	defer delete(w.open, n)
	for _, inner := range n.Content {
		if err := w.node(inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// checkKeys reports the first key that is a list or a mapping, whose hash the library takes, or that a mapping has
// twice, of which the library reports all pairs.
func checkKeys(n *yaml.Node) error {
	type key struct {
		kind  yaml.Kind
		value string
	}
	lines := map[key]int{}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode && k.Alias != nil && k.Alias.Kind != yaml.ScalarNode ||
			k.Kind == yaml.SequenceNode || k.Kind == yaml.MappingNode {
			return fault.Usage(fmt.Errorf("line %d: a key is a list or a mapping", k.Line),
				"write a word before the colon")
		}
		if line, twice := lines[key{k.Kind, k.Value}]; twice {
			return fault.Usage(fmt.Errorf("line %d: key %q is already defined at line %d", k.Line, k.Value, line),
				"keep one of the two")
		}
		lines[key{k.Kind, k.Value}] = k.Line
	}
	return nil
}

func tooMuch(err error) error {
	return fault.Usage(err, "a YAML file has at most %d bytes, %d keys and values, %d keys in a mapping, %d aliases "+
		"and a depth of %d",
		maxBytes, maxNodes, maxKeys, maxAliases, maxDepth)
}
