package bench

import (
	_ "embed" // for pytorch.py
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"illustrator/internal/fault"
)

// script does the same work in PyTorch.
//
//go:embed pytorch.py
var script string

// Mode is how PyTorch runs.
type Mode string

// Modes lists all modes: eager or through torch.compile, the frozen networks in float32 or under autocast to bfloat16.
// This program is measured in float32; "eager-float32" is the like of it.
var Modes = []Mode{"eager-float32", "eager-bfloat16", "compile-float32", "compile-bfloat16"}

// ParseMode returns the mode called name, or an error that lists the modes.
func ParseMode(name string) (Mode, error) {
	if slices.Contains(Modes, Mode(name)) {
		return Mode(name), nil
	}
	names := make([]string, len(Modes))
	for i, m := range Modes {
		names[i] = string(m)
	}
	return "", fault.Usage(fmt.Errorf("PyTorch mode %q is unknown", name), "use %s", strings.Join(names, ", "))
}

// PythonEnv names the environment variable with the path of a Python interpreter that has PyTorch.
const PythonEnv = "ILLUSTRATOR_PYTHON"

// pythonOfMake is the interpreter that `make bench PYTORCH=1` sets up.
const pythonOfMake = ".cache/pytorch/bin/python"

// FindPython returns the interpreter that PythonEnv names, or else the one of `make bench PYTORCH=1`.
func FindPython() (string, error) {
	path, origin := os.Getenv(PythonEnv), "$"+PythonEnv
	if path == "" {
		path, origin = pythonOfMake, "PyTorch's interpreter"
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", fault.Hint(fmt.Errorf("%s: %w", origin, err),
			"run `make bench PYTORCH=1`, which installs PyTorch, or set %s to a Python that has torch and transformers", PythonEnv)
	}
	return found, nil
}

func pytorchCommand(python string, mode Mode, work json.RawMessage) []string {
	return []string{python, "-c", script, string(mode), strconv.Itoa(runtime.NumCPU()), string(work)}
}
