// Package pytools runs the tools that other people open this project's files with, pyarrow, pandas, DuckDB and
// TensorBoard, in tests, and finds what tests take from Python's packages.
package pytools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Run runs a Python script with arguments and fails the test if the script does. modules are what it imports: without
// them the test is skipped with the command that installs them, but under CI it fails.
func Run(t testing.TB, modules []string, script string, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Python; run without -short")
	}
	if out, err := python(t, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput(); err != nil {
		const missing = "needs Python with %v (`make test` installs them into .cache/python): %v\n%s"
		if os.Getenv("CI") != "" {
			t.Fatalf(missing, modules, err, out)
		}
		t.Skipf(missing, modules, err, out)
	}
	if out, err := python(t, append([]string{script}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// RunTorch runs a Python script that imports PyTorch with the Python that has it: ILLUSTRATOR_PYTHON, or that of
// `make bench PYTORCH=1`. Without one the test is skipped, under CI too, where PyTorch's gigabytes are not installed.
func RunTorch(t testing.TB, script string, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts PyTorch; run without -short")
	}
	path := os.Getenv("ILLUSTRATOR_PYTHON")
	if path == "" {
		path = filepath.Join(root(t), ".cache", "pytorch", "bin", "python")
		if _, err := os.Stat(path); err != nil {
			t.Skipf("needs a Python with PyTorch (ILLUSTRATOR_PYTHON, or `make bench PYTORCH=1`): %v", err)
		}
	}
	if out, err := exec.Command(path, append([]string{script}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// Vocabulary returns OpenAI's bpe_simple_vocab_16e6.txt.gz, which `make test` takes out of the package open-clip-torch.
// Without it the test is skipped with the command that fetches it, but under CI it fails.
func Vocabulary(t testing.TB) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("needs CLIP's vocabulary; run without -short")
	}
	data, err := os.ReadFile(filepath.Join(root(t), ".cache", "vocabulary", "open_clip", "bpe_simple_vocab_16e6.txt.gz"))
	if err != nil {
		const missing = "needs CLIP's vocabulary (`make test` fetches it into .cache/vocabulary): %v"
		if os.Getenv("CI") != "" {
			t.Fatalf(missing, err)
		}
		t.Skipf(missing, err)
	}
	return data
}

// python prepares a call of python3 that finds the packages of requirements.txt.
func python(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("python3", args...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(root(t), ".cache", "python"), "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// root is the project's folder, above the folder of the test that runs.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
}
