package compare

import (
	"context"
	_ "embed" // for pytorch.py
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"illustrator/internal/fault"
)

// script does the same work in PyTorch.
//
//go:embed pytorch.py
var script string

// Mode is a way to run PyTorch.
type Mode string

// Modes lists all modes: eager or through torch.compile, the frozen networks in float32, in TF32 (on CUDA) or under
// autocast to bfloat16. "eager-float32" is the like of this program in float32.
var Modes = []Mode{"eager-float32", "eager-tf32", "eager-bfloat16", "compile-float32", "compile-tf32",
	"compile-bfloat16"}

// Precision returns a mode's precision.
func (m Mode) Precision() Precision {
	_, p, _ := strings.Cut(string(m), "-")
	return Precision(p)
}

// ParseMode returns the mode called name, or an error that lists the modes.
func ParseMode(name string) (Mode, error) {
	var m Mode
	err := fault.Choose(&m, "PyTorch mode", []byte(name), Modes...)
	return m, err
}

// pythonEnv names the environment variable with the path of a Python interpreter that has PyTorch.
const pythonEnv = "ILLUSTRATOR_PYTHON"

// pythonOfMake is the interpreter that `make bench PYTORCH=1` sets up.
const pythonOfMake = ".cache/pytorch/bin/python"

// FindPython returns the interpreter that PythonEnv names, or else the one of `make bench PYTORCH=1`.
func FindPython() (string, error) {
	path, origin := os.Getenv(pythonEnv), "$"+pythonEnv
	if path == "" {
		path, origin = pythonOfMake, "PyTorch's interpreter"
	}
	python, err := exec.LookPath(path)
	if err != nil {
		return "", fault.Hint(fmt.Errorf("%s: %w", origin, err),
			"run `make bench PYTORCH=1`, which installs PyTorch, or set %s to a Python that has torch and transformers",
			pythonEnv)
	}
	return python, nil
}

// TorchVersion returns the version of python's PyTorch, after a look that it can compute on device.
func TorchVersion(ctx context.Context, python, device string) (string, error) {
	const program = "import sys, torch; print(torch.__version__); sys.exit(sys.argv[1] == 'cuda' and not " +
		"torch.cuda.is_available())"
	out, err := exec.CommandContext(ctx, python, "-c", program, device).Output()
	var exit *exec.ExitError
	switch version := strings.TrimSpace(string(out)); {
	case err == nil:
		return version, nil
	case context.Cause(ctx) != nil:
		return "", context.Cause(ctx)
	case version != "" && errors.As(err, &exit):
		return "", fault.Hint(fmt.Errorf("PyTorch %s of %s sees no CUDA device", version, python),
			"install a build of PyTorch for CUDA that this driver can run, or name another Python in %s", pythonEnv)
	case errors.As(err, &exit):
		err = fmt.Errorf("%w: %s", err, lastLine(exit.Stderr))
	}
	return "", fault.Hint(fmt.Errorf("run PyTorch of %s: %w", python, err),
		"set %s to a Python that has torch and transformers", pythonEnv)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

func pytorchCommand(python, device string, mode Mode, work json.RawMessage) []string {
	return []string{python, "-c", script, "--device", device, string(mode), strconv.Itoa(runtime.NumCPU()), string(work)}
}
