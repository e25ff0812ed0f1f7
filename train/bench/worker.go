package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/gomlx/compute"
)

// A worker is a process that does one case's work. It writes a line of JSON when it is ready (its Work, or anything
// else from another program) and then answers every line it reads by doing one measurement: the first of a single step,
// which compiles the program, the others of Work.Repeat steps. It ends with its input.

// answer is a measurement: the seconds that one step took.
type answer struct {
	Seconds   float64 `json:"seconds"`
	Allocated uint64  `json:"allocated_bytes,omitempty"` // the most of the device's memory so far, of PyTorch
}

// Serve is the worker's side: it does c's work on backend as the lines of in ask.
func Serve(ctx context.Context, c Case, backend compute.Backend, in io.Reader, out io.Writer) error {
	work, step, err := c.Prepare(ctx, backend)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	if err := answers.Encode(work); err != nil {
		return err
	}
	at, repeat := 0, 1
	for lines := bufio.NewScanner(in); lines.Scan(); repeat = c.Repeat {
		began := time.Now()
		for range repeat {
			if err := step(at); err != nil {
				return fmt.Errorf("step %d: %w", at+1, err)
			}
			at++
		}
		if err := answers.Encode(answer{Seconds: time.Since(began).Seconds() / float64(repeat)}); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// Span is a stretch of time.
type Span struct{ From, To time.Time }

// worker is the measuring side of such a process.
type worker struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	ctx    context.Context

	allocated uint64 // as the last answer says
	worked    []Span // the measurements
}

// start starts a worker with more in its environment and waits until it is ready; ready receives what it says then.
func start(ctx context.Context, name string, command, env []string, ready any) (*worker, error) {
	w := &worker{name: name, ctx: ctx, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	w.cmd.Stderr = &w.stderr
	w.cmd.Env = append(os.Environ(), env...)
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := w.read(ready); err != nil {
		return nil, err
	}
	return w, nil
}

// read reads one line of the worker's. Where there is none the worker has ended, and its last words are the error.
func (w *worker) read(into any) error {
	line, err := w.out.ReadBytes('\n')
	if err == nil {
		if err = json.Unmarshal(line, into); err == nil {
			return nil
		}
	}
	_ = w.cmd.Process.Kill()
	ended := w.cmd.Wait()
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	last := strings.TrimSpace(w.stderr.String())
	if len(last) > 2000 {
		last = "…" + last[len(last)-2000:]
	}
	return fmt.Errorf("%s: %w (%w): %s", w.name, err, ended, last)
}

// measure has the worker do one measurement and returns the seconds of a step.
func (w *worker) measure() (float64, error) {
	if _, err := io.WriteString(w.in, "step\n"); err != nil && context.Cause(w.ctx) == nil {
		return 0, fmt.Errorf("%s: %w: %s", w.name, err, strings.TrimSpace(w.stderr.String()))
	}
	var a answer
	began := time.Now()
	err := w.read(&a)
	w.allocated = a.Allocated
	w.worked = append(w.worked, Span{began, time.Now()})
	return a.Seconds, err
}

// peakMemory returns the most memory that the worker has had in bytes, 0 where the system does not tell (Linux only).
func (w *worker) peakMemory() uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// stop ends the worker. It has nothing to lose, and a library's slow farewell is of no interest.
func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}
