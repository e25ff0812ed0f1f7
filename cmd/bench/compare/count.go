package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	"illustrator/train/bench"
)

// Counts are those of the operators of PyTorch's eager graph, which is traced without values and not run. Each operator
// reads and writes its operands once; FLOPs are those of products and convolutions.
type Counts struct {
	Torch     string  `json:"torch"` // its version
	FLOPs     float64 `json:"flops"`
	Bytes     float64 `json:"bytes"`
	Operators int     `json:"operators"` // without views
	Bound     float64 `json:"bound_seconds"`
}

// Count counts the operators of one step of work in float32, with python's PyTorch. The bound is the sum of the least
// times that they take on a device of peak FLOP/s and bandwidth bytes/s.
func Count(ctx context.Context, python string, work bench.Work, peak, bandwidth float64) (c Counts, err error) {
	text, err := json.Marshal(work)
	if err != nil {
		return c, err
	}
	device := fmt.Sprintf("%g,%g", peak, bandwidth)
	args := []string{"-c", script, "--count", device, "eager-float32", "1", string(text)}
	out, err := exec.CommandContext(ctx, python, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return c, fmt.Errorf("count PyTorch's operators: %w: %s", err, lastLine(exit.Stderr))
	}
	if err != nil {
		return c, fmt.Errorf("count PyTorch's operators: %w", err)
	}
	if err := json.Unmarshal(out, &c); err != nil {
		return c, fmt.Errorf("count PyTorch's operators: %w", err)
	}
	return c, nil
}
