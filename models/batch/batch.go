// Package batch runs graph functions over any number of rows, in batches of a fixed size, with plain slices at its
// border.
package batch

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes/gotype"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Input is an argument of a graph: n rows, or one that is the same for every batch.
type Input interface {
	// rows is the number of rows, -1 for an argument that has none.
	rows() (int, error)
	// batch returns rows [from,to) as a tensor of size rows; rows beyond to repeat row from, so that the graph's shape,
	// and with it the compiled program, stays the same for the last, shorter batch.
	batch(from, to, size int) *tensors.Tensor
}

// Rows is the input [n, dims...] that values hold.
func Rows[T gotype.Supported](values []T, dims ...int) Input { return rows[T]{values, dims} }

type rows[T gotype.Supported] struct {
	values []T
	dims   []int
}

func (r rows[T]) width() int {
	w := 1
	for _, d := range r.dims {
		w *= d
	}
	return w
}

func (r rows[T]) rows() (int, error) {
	if len(r.values)%r.width() != 0 {
		return 0, fmt.Errorf("%d values are not rows of %v", len(r.values), r.dims)
	}
	return len(r.values) / r.width(), nil
}

func (r rows[T]) batch(from, to, size int) *tensors.Tensor {
	width := r.width()
	values := make([]T, 0, size*width)
	values = append(values, r.values[from*width:to*width]...)
	for range size - (to - from) {
		values = append(values, r.values[from*width:(from+1)*width]...)
	}
	return tensors.FromFlatDataAndDimensions(values, append([]int{size}, r.dims...)...)
}

// fixed is an argument that is the same for every batch.
type fixed struct{ *tensors.Tensor }

func (f fixed) rows() (int, error)                { return -1, nil }
func (f fixed) batch(_, _, _ int) *tensors.Tensor { return f.Tensor }

// Scalar is the same number for every batch.
func Scalar(v float64) Input { return fixed{tensors.FromScalar(float32(v))} }

// Vector is the same row [1, len(v)] for every batch.
func Vector(v []float32) Input { return fixed{tensors.FromFlatDataAndDimensions(v, 1, len(v))} }

// Runner keeps the compiled graphs of the networks whose weights are in one store. It is for one goroutine at a time.
type Runner struct {
	// Backend may be set later than the rest: nothing needs it before Run.
	Backend compute.Backend
	// Store holds the variables that the graphs read.
	Store *model.Store
	// Shapes, ascending, are the only numbers of rows that programs are compiled for, up to the batch, where they are
	// given, so that few programs serve any number of rows. Rows that nearly fill a shape are filled up to it; others are
	// cut by a smaller one. With one shape a row's last digits don't depend on how many others there are.
	Shapes []int

	execs map[string]*model.Exec
	sizes map[string]int // rows that each of execs was last compiled for
}

// NewRunner returns a Runner with a store that has no variables yet.
func NewRunner(backend compute.Backend) *Runner {
	return &Runner{
		Backend: backend, Store: model.NewStore(),
		execs: map[string]*model.Exec{}, sizes: map[string]int{},
	}
}

// Forget drops the graph compiled under name, whose function is about to change.
func (r *Runner) Forget(name string) { delete(r.execs, name) }

// Run executes the graph function build, compiled under name, over all rows of the inputs in batches of at most size,
// and returns the concatenated rows of each output. The inputs must agree in their number of rows, which must not be
// zero.
func Run[F model.ExecGraphFn](ctx context.Context, r *Runner, name string, build F, size int,
	inputs ...Input) ([][]float32, error) {
	exec, err := execOf(r, name, build)
	if err != nil {
		return nil, err
	}
	total, err := count(inputs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var outputs [][]float32
	for from, to := 0, 0; from < total; from = to {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		size := r.shape(name, total-from, size)
		to = min(from+size, total)
		args := make([]any, len(inputs))
		for i, in := range inputs {
			args[i] = in.batch(from, to, size)
		}
		results, err := exec.Call(args...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if outputs == nil {
			outputs = make([][]float32, len(results))
		}
		for i, result := range results {
			values, err := tensors.CopyFlatData[float32](result)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			outputs[i] = append(outputs[i], values[:len(values)/size*(to-from)]...)
			if err := result.FinalizeAll(); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return outputs, nil
}

// shape returns the number of rows that the program for the next of the rows that are left is compiled for.
func (r *Runner) shape(name string, left, size int) int {
	for _, shape := range slices.Backward(r.Shapes) {
		if 4*left >= 3*shape || shape == r.Shapes[0] {
			return min(shape, size)
		}
	}
	// The program of a longer batch serves a shorter one, which is sooner done than another compilation.
	r.sizes[name] = min(size, max(left, r.sizes[name]))
	return r.sizes[name]
}

// count returns the number of rows of the inputs, which must agree and not be zero.
func count(inputs []Input) (int, error) {
	total := -1
	for _, in := range inputs {
		n, err := in.rows()
		switch {
		case err != nil:
			return 0, err
		case n == 0:
			return 0, fmt.Errorf("nothing to do")
		case n > 0 && total > 0 && n != total:
			return 0, fmt.Errorf("the inputs have %d and %d rows", total, n)
		case n > 0:
			total = n
		}
	}
	return total, nil
}

// execOf returns the executor of a graph function. It compiles once for every shape of inputs.
func execOf[F model.ExecGraphFn](r *Runner, name string, build F) (*model.Exec, error) {
	if e := r.execs[name]; e != nil {
		return e, nil
	}
	e, err := model.NewExec(r.Backend, r.Store, build)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r.execs[name] = e.WithName(name).SetMaxCache(-1) // pictures may come in any number of sizes
	return e, nil
}
