package nn

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// norm returns a store with a BatchNorm "n" of three units.
func norm() *model.Store {
	store := model.NewStore()
	for name, values := range map[string][]float64{
		"n.weight": {1, -2, 0.5}, "n.bias": {0, 1, -1}, "n.running_mean": {0.5, 0, -1}, "n.running_var": {1, 4, 0.25},
	} {
		store.VariableWithValue(name, values)
	}
	return store
}

func value(t *testing.T, store *model.Store, name string) []float64 {
	t.Helper()
	v, err := store.GetVariable(name).Value()
	if err != nil {
		t.Fatal(err)
	}
	return tensors.MustCopyFlatData[float64](v)
}

// Three batches by the formulas of torch.nn.BatchNorm1d, computed here in plain Go.
func TestBatchNorm1dFollowsBatches(t *testing.T) {
	const batch, units = 4, 3
	store, training := norm(), true
	step := func(x *tensors.Tensor) []float64 {
		exec := model.MustNewExec(nntest.Backend(t), store, func(scope *model.Scope, x *graph.Node) *graph.Node {
			scope.Store().SetTraining(x.Graph(), training)
			return BatchNorm1d(scope, x, "n")
		})
		defer exec.Finalize()
		y, err := exec.Call1(x)
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float64](y)
	}
	closeTo := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%s is %.15g, want %.15g", what, got, want)
		}
	}
	weight, bias := value(t, store, "n.weight"), value(t, store, "n.bias")
	mean, variance := value(t, store, "n.running_mean"), value(t, store, "n.running_var")
	for seed := range uint64(3) {
		x := normals(seed, batch, units)
		flat, y := tensors.MustCopyFlatData[float64](x), step(x)
		for u := range units {
			sum, squares := 0.0, 0.0
			for b := range batch {
				sum += flat[b*units+u]
			}
			for b := range batch {
				squares += math.Pow(flat[b*units+u]-sum/batch, 2)
			}
			for b := range batch {
				closeTo("output", y[b*units+u], (flat[b*units+u]-sum/batch)/math.Sqrt(squares/batch+1e-5)*weight[u]+bias[u])
			}
			mean[u] = 0.9*mean[u] + 0.1*sum/batch
			variance[u] = 0.9*variance[u] + 0.1*squares/(batch-1)
			closeTo("running mean", value(t, store, "n.running_mean")[u], mean[u])
			closeTo("running variance", value(t, store, "n.running_var")[u], variance[u])
		}
	}
	training = false
	x := normals(9, batch, units)
	flat, y := tensors.MustCopyFlatData[float64](x), step(x)
	for i := range flat {
		u := i % units
		closeTo("output in evaluation", y[i], (flat[i]-mean[u])/math.Sqrt(variance[u]+1e-5)*weight[u]+bias[u])
		closeTo("running mean after evaluation", value(t, store, "n.running_mean")[u], mean[u])
	}
}

func TestBatchNorm1dGradient(t *testing.T) {
	for _, training := range []bool{true, false} {
		// The parameters are the last two rows: x [4,3], weight [3], bias [3].
		nntest.CheckGradient(t, norm(), func(scope *model.Scope, in *graph.Node) *graph.Node {
			scope.Store().SetTraining(in.Graph(), training)
			row := func(i int) *graph.Node { return graph.Reshape(graph.Slice(in, graph.AxisElem(i)), 3) }
			setWeight(scope, "n.weight", row(4))
			setWeight(scope, "n.bias", row(5))
			return BatchNorm1d(scope, graph.Slice(in, graph.AxisRange(0, 4)), "n")
		}, normals(3, 6, 3), 1e-6, 1e-7)
	}
}

// One row has no variance: PyTorch refuses it too.
func TestBatchNorm1dOfOne(t *testing.T) {
	_, err := model.CallOnce(nntest.Backend(t), norm(), func(scope *model.Scope, x *graph.Node) *graph.Node {
		scope.Store().SetTraining(x.Graph(), true)
		return BatchNorm1d(scope, x, "n")
	}, normals(1, 1, 3))
	if err == nil {
		t.Error("a training batch of one gives no error")
	}
}

func TestPReLU(t *testing.T) {
	store := model.NewStore()
	store.VariableWithValue("p.weight", []float64{0.25})
	// At 0, PyTorch's gradient to x is the slope, and the slope's own gets nothing: Σ min(x,0) = -2 - 0.5.
	exec := model.MustNewExec(nntest.Backend(t), store, func(scope *model.Scope, x *graph.Node) []*graph.Node {
		y := PReLU(scope, x, "p")
		slope := scope.GetVariable("p.weight").NodeValue(x.Graph())
		return append(graph.Gradient(graph.ReduceAllSum(y), x, slope), y)
	})
	defer exec.Finalize()
	out := exec.MustCall([][]float64{{-2, -0.5, 0, 3}})
	for i, want := range [][]float64{{0.25, 0.25, 0.25, 1}, {-2.5}, {-0.5, -0.125, 0, 3}} {
		for j, got := range tensors.MustCopyFlatData[float64](out[i]) {
			if got != want[j] {
				t.Errorf("output %d is %g at %d, want %g", i, got, j, want[j])
			}
		}
	}
	nntest.CheckGradient(t, store, func(scope *model.Scope, in *graph.Node) *graph.Node {
		setWeight(scope, "p.weight", graph.Reshape(graph.Slice(in, graph.AxisElem(0), graph.AxisElem(0)), 1))
		return PReLU(scope, graph.Slice(in, graph.AxisRange(1)), "p")
	}, normals(5, 4, 3), 1e-6, 1e-7)
}
