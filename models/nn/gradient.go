package nn

import "github.com/gomlx/gomlx/core/graph"

// WithGradient returns f(x) with a gradient of its own: vjp maps the gradient with respect to f(x) to that with respect
// to x. It is for what GoMLX differentiates wrongly, slowly or not at all; prove vjp by finite differences.
func WithGradient(x *graph.Node, f, vjp func(*graph.Node) *graph.Node) *graph.Node {
	// GoMLX takes a gradient of one's own only for a node that returns its operand. So the output's such node keeps the
	// adjoint, and x's uses it. GoMLX does not differentiate f itself, which may hold what it can't. Between the two nodes
	// gradients take a path around f, a choice that is never made: its forward pass and what GoMLX derives for it are left
	// unused and compiled away.
	var adjoint *graph.Node
	hook := graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return vjp(adjoint) })
	y := graph.StopGradient(f(x))

	g, first := x.Graph(), make([]graph.SliceAxisSpec, x.Rank())
	for axis := range first {
		first[axis] = graph.AxisElem(0)
	}
	around := graph.BroadcastToShape(graph.Reshape(graph.Slice(hook, first...)), y.Shape())
	y = graph.Where(graph.Const(g, true), y, around)
	return graph.IdentityWithCustomGradient(y, func(_, v *graph.Node) *graph.Node {
		adjoint = v
		return v
	})
}
