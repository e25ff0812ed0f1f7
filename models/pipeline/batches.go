package pipeline

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
)

// input is an argument of a graph: n rows of width dims.
type input interface {
	// rows is the number of rows, -1 for an argument that has none.
	rows() (int, error)
	// batch returns rows [from,to) as a tensor of size rows; rows beyond to repeat row from, so that the graph's shape,
	// and with it the compiled program, stays the same for the last, shorter batch.
	batch(from, to, size int) *tensors.Tensor
}

// rows is an input [n, dims...] of any element type.
type rows[T dtypes.Supported] struct {
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

func scalar(v float64) fixed { return fixed{tensors.FromScalar(float32(v))} }

func vector(v []float32) fixed { return fixed{tensors.FromFlatDataAndDimensions(v, 1, len(v))} }

// run executes the graph function build, compiled under name, over all rows of the inputs in batches of at most size, and
// returns the concatenated rows of each output.
func (n *Networks) run(ctx context.Context, name string, build any, size int, inputs ...input) ([][]float32, error) {
	exec, err := n.exec(name, build)
	if err != nil {
		return nil, err
	}
	total, err := count(inputs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// The program of a longer batch serves a shorter one, which is sooner done than another compilation.
	size = min(size, max(total, n.sizes[name]))
	n.sizes[name] = size
	var outputs [][]float32
	for from := 0; from < total; from += size {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		to := min(from+size, total)
		args := make([]any, len(inputs))
		for i, in := range inputs {
			args[i] = in.batch(from, to, size)
		}
		results, err := exec.Exec(args...)
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

// count returns the number of rows of the inputs, which must agree and not be zero.
func count(inputs []input) (int, error) {
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

// exec returns the executor of a graph function. It compiles once for every shape of inputs.
func (n *Networks) exec(name string, build any) (*mlcontext.Exec, error) {
	if e := n.execs[name]; e != nil {
		return e, nil
	}
	e, err := mlcontext.NewExecAny(n.Backend, n.Context, build)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n.execs[name] = e.WithName(name).SetMaxCache(-1) // pictures may come in any number of sizes
	return e, nil
}
