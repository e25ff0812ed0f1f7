package onnxgraph

import (
	"fmt"
	"maps"
	"slices"

	"illustrator/internal/fault"
)

// sort puts the nodes in an order in which each comes after those that it needs.
func (f *File) sort() (err error) {
	if f.order, f.makers, err = f.graph.sort(true); err != nil {
		return err
	}
	for _, out := range f.Outputs {
		if f.makers[out.Name] == nil && f.graph.weights[out.Name] == nil && !isInput(f.Inputs, out.Name) {
			return fault.Hint(fmt.Errorf("its output %q is computed by no node", out.Name), damagedHint)
		}
	}
	return nil
}

func isInput(inputs []Info, name string) bool {
	return slices.ContainsFunc(inputs, func(in Info) bool { return in.Name == name })
}

// graphs are those within a node, of its branches or its loop.
func (n *node) graphs() (inner []*graph) {
	for _, key := range slices.Sorted(maps.Keys(n.attributes)) {
		if g := n.attributes[key].graph; g != nil {
			inner = append(inner, g)
		}
	}
	return inner
}

// needs are the names that a node takes from the graph that it is in: its inputs, and those of the graphs within it.
func (n *node) needs() []string {
	names := n.inputs
	for _, inner := range n.graphs() {
		names = append(slices.Clone(names), inner.free()...)
	}
	return names
}

// free are the names that a graph within another takes from outside.
func (g *graph) free() []string {
	own := map[string]bool{"": true}
	for name := range g.weights {
		own[name] = true
	}
	for _, in := range g.inputs {
		own[in.Name] = true
	}
	for _, n := range g.nodes {
		for _, out := range n.outputs {
			own[out] = true
		}
	}
	var free []string
	take := func(name string) {
		if !own[name] {
			free = append(free, name)
		}
	}
	for _, n := range g.nodes {
		for _, name := range n.needs() {
			take(name)
		}
	}
	for _, out := range g.outputs {
		take(out.Name)
	}
	return free
}

// makers are the nodes by the names of their outputs, none of which is known. It sorts the graphs within them.
func (g *graph) makers(known map[string]bool) (map[string]*node, error) {
	makers := map[string]*node{}
	for _, n := range g.nodes {
		for _, out := range n.outputs {
			if out == "" {
				continue
			}
			if makers[out] != nil || known[out] {
				return nil, fault.Hint(fmt.Errorf("two nodes, inputs or weights have the name %q", out), damagedHint)
			}
			makers[out] = n
		}
		for _, inner := range n.graphs() {
			if _, _, err := inner.sort(false); err != nil {
				return nil, err
			}
		}
	}
	return makers, nil
}

// sort is File.sort for a graph, which may take names from outside unless it is the outermost.
func (g *graph) sort(outermost bool) (order []*node, makers map[string]*node, err error) {
	known := map[string]bool{"": true}
	for name := range g.weights {
		known[name] = true
	}
	for _, in := range g.inputs {
		known[in.Name] = true
	}
	if makers, err = g.makers(known); err != nil {
		return nil, nil, err
	}
	const ( // of a node; zero: not reached
		open = iota + 1
		done
	)
	state := map[*node]int{}
	for _, root := range g.nodes {
		for stack := []*node{root}; len(stack) > 0; {
			n := stack[len(stack)-1]
			if state[n] != 0 {
				if stack = stack[:len(stack)-1]; state[n] == open {
					state[n] = done
					order = append(order, n)
				}
				continue
			}
			state[n] = open
			for _, name := range n.needs() {
				maker := makers[name]
				switch {
				case known[name] || maker != nil && state[maker] == done || maker == nil && !outermost:
				case maker == nil:
					return nil, nil, fault.Hint(fmt.Errorf("%s takes %q, which is neither an input nor a weight nor a node's output",
						n.name(), name), damagedHint)
				case state[maker] == open:
					return nil, nil, fault.Hint(fmt.Errorf("its graph has a cycle: %s needs %q, which needs it", n.name(), name),
						"a network is computed from its inputs to its outputs: export it again")
				default:
					stack = append(stack, maker)
				}
			}
		}
	}
	return order, makers, nil
}
