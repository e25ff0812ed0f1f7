package train

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
)

// Axes: K steps in one call.

// stepFunc builds one training step: it updates variables of ctx and returns the step's losses, of any shape.
type stepFunc = func(ctx *mlcontext.Context, inputs []*graph.Node) *graph.Node

// repeat compiles a loop over step. The inputs of a call are the number of steps, an int32 from 1 to K, and the inputs
// of step with a leading axis of K; the output is step's with that axis, 0 behind the number of steps.
//
// A mapper has some 900 variables with its optimizer, and to hand them to the device and back takes 5 ms of processor
// time at each call: as long as the step of a small mapper. The loop hands them over once. With K = 1 there is no loop:
// XLA's CPU compiler runs convolutions inside of one some twenty times slower, so that steps which draw pictures go singly.
func repeat(backend backends.Backend, ctx *mlcontext.Context, step stepFunc) (*mlcontext.Exec, error) {
	return mlcontext.NewExec(backend, ctx, func(ctx *mlcontext.Context, inputs []*graph.Node) *graph.Node {
		count, inputs := inputs[0], inputs[1:]
		g, k := count.Graph(), inputs[0].Shape().Dim(0)
		if k == 1 {
			return graph.InsertAxes(step(ctx, firstRows(inputs)), 0)
		}
		used, output := trial(backend, ctx, inputs, step)

		// The loop's state: step, count, outputs, inputs, variables. It is made without constants, because GoMLX keeps one
		// node for each scalar constant of a graph, and a loop's body may not read those made outside of it.
		zero := graph.Sub(count, count)
		outputs := graph.BroadcastToDims(graph.ConvertDType(zero, output.DType), append([]int{k}, output.Dimensions...)...)
		state := append([]*graph.Node{zero, count, outputs}, inputs...)
		for _, v := range used {
			state = append(state, v.variable.ValueGraph(g))
		}
		parameters := func(g *graph.Graph) []*graph.Node {
			nodes := make([]*graph.Node, len(state))
			for i, s := range state {
				nodes[i] = graph.Parameter(g, fmt.Sprintf("state_%d", i), s.Shape())
			}
			return nodes
		}
		more := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
			p := parameters(g)
			return []*graph.Node{graph.LessThan(p[0], p[1])}
		})
		body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
			p := parameters(g)
			variables := p[3+len(inputs):]
			for i, v := range used {
				v.variable.SetValueGraph(variables[i])
			}
			rows := make([]*graph.Node, len(inputs))
			for i, input := range p[3 : 3+len(inputs)] {
				rows[i] = rowAt(input, p[0])
			}
			p[2] = setRow(p[2], p[0], step(ctx, rows))
			p[0] = graph.AddScalar(p[0], 1)
			for i, v := range used {
				variables[i] = v.variable.ValueGraph(g)
			}
			return p
		})
		final := graph.While(more, body, state...)
		for i, v := range used {
			v.variable.SetValueGraph(state[3+len(inputs)+i])
			if v.changed {
				v.variable.SetValueGraph(final[3+len(inputs)+i])
			}
		}
		return final[2]
	})
}

// usedVariable is a variable that a step reads, and whether it writes it.
type usedVariable struct {
	variable *mlcontext.Variable
	changed  bool
}

// trial builds step in a graph that is thrown away, to learn which variables it uses and what it returns. Variables that
// a step makes, as an optimizer does with its moments, exist from then on.
func trial(backend backends.Backend, ctx *mlcontext.Context, inputs []*graph.Node, step stepFunc) (used []usedVariable, output shapes.Shape) {
	g := graph.NewGraph(backend, "trial")
	defer g.Finalize()
	rows := make([]*graph.Node, len(inputs))
	for i, input := range inputs {
		row := shapes.Make(input.DType(), input.Shape().Dimensions[1:]...)
		rows[i] = graph.Parameter(g, fmt.Sprintf("input_%d", i), row)
	}
	output = step(ctx, rows).Shape()
	for v := range ctx.IterVariables() {
		if v.InUseByGraph(g) {
			used = append(used, usedVariable{v, v.ChangedInGraph(g)})
		}
	}
	return used, output
}

// firstRows returns x[0] of each x [1,…].
func firstRows(inputs []*graph.Node) []*graph.Node {
	rows := make([]*graph.Node, len(inputs))
	for i, x := range inputs {
		rows[i] = graph.Squeeze(x, 0)
	}
	return rows
}

// rowAt returns x[i] of x [K,…].
func rowAt(x, i *graph.Node) *graph.Node {
	sizes := append([]int{1}, x.Shape().Dimensions[1:]...)
	return graph.Squeeze(graph.DynamicSlice(x, startAt(x, i), sizes), 0)
}

// setRow returns x [K,…] with x[i] replaced.
func setRow(x, i, row *graph.Node) *graph.Node {
	return graph.DynamicUpdateSlice(x, graph.InsertAxes(row, 0), startAt(x, i))
}

// startAt is the place of x[i].
func startAt(x, i *graph.Node) []*graph.Node {
	starts := make([]*graph.Node, x.Rank())
	for axis := range starts {
		starts[axis] = graph.ScalarZero(x.Graph(), i.DType())
	}
	starts[0] = i
	return starts
}
