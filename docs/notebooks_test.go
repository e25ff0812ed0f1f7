package docs

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"illustrator/internal/pytools"
	"illustrator/models/xla"
)

// TestNotebook executes the notebook beside a server, by nbclient where Python has it.
func TestNotebook(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server and Python")
	}
	if _, ok := xla.Find("cpu"); !ok {
		t.Skip("no XLA plugin on this machine")
	}
	program := filepath.Join(t.TempDir(), "illustrator")
	t.Chdir("..")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/illustrator").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	server := exec.CommandContext(t.Context(), program, "serve", "--run", "examples/runs/first", "--listen", address, "-q")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if answer, err := http.Get("http://" + address + "/healthz"); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not answer")
		}
	}
	t.Setenv("ILLUSTRATOR_URL", "http://"+address)
	pytools.Run(t, []string{"pandas", "pyarrow"}, "docs/notebooks/execute.py", "docs/notebooks/runs.ipynb")
}
