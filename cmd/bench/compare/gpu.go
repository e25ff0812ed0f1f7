package compare

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"illustrator/internal/fault"
	"illustrator/train/bench"
)

// GPU is the NVIDIA GPU that work is measured on: the first of $CUDA_VISIBLE_DEVICES, or else of the machine.
type GPU struct {
	ID          string `json:"id"` // its index on the PCI bus, or its UUID
	Name        string `json:"name"`
	Driver      string `json:"driver"`
	MemoryBytes uint64 `json:"memory_bytes"`
	// Capability is CUDA's compute capability: TF32 and bfloat16 begin with 8.0.
	Capability string `json:"compute_capability"`
}

const nvidiaSMI = "nvidia-smi"

// FindGPU asks nvidia-smi for the GPU.
func FindGPU(ctx context.Context) (*GPU, error) {
	id, _, _ := strings.Cut(os.Getenv("CUDA_VISIBLE_DEVICES"), ",")
	if id = strings.TrimSpace(id); id == "" {
		if _, set := os.LookupEnv("CUDA_VISIBLE_DEVICES"); set {
			return nil, fault.Hint(errors.New("$CUDA_VISIBLE_DEVICES is empty: it hides all GPUs"),
				"unset it, or give it a GPU's index")
		}
		id = "0"
	}
	if _, err := exec.LookPath(nvidiaSMI); err != nil {
		return nil,
			fault.Hint(err,
				"%s comes with NVIDIA's driver, which a CUDA device needs; without one, run on the CPU (--device cpu)", nvidiaSMI)
	}
	const query = "name,driver_version,memory.total,compute_cap"
	out, err := exec.CommandContext(ctx, nvidiaSMI, "--id="+id, "--query-gpu="+query,
		"--format=csv,noheader,nounits").CombinedOutput()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil,
			fault.Hint(fmt.Errorf("%s finds no CUDA device %s: %s (%w)", nvidiaSMI, id, strings.TrimSpace(string(out)), err),
				"see that `%s` lists the GPU; without one, run on the CPU (--device cpu)", nvidiaSMI)
	}
	return parseGPU(id, string(out))
}

// parseGPU reads the answer of nvidia-smi's query.
func parseGPU(id, line string) (*GPU, error) {
	f := fields(line)
	if len(f) != 4 {
		return nil, fmt.Errorf("%s answers %q for device %s; expected name, driver, memory and compute capability", nvidiaSMI,
			strings.TrimSpace(line), id)
	}
	memory, err := strconv.ParseUint(f[2], 10, 40)
	if err != nil {
		return nil, fmt.Errorf("%s says that device %s has %q MiB of memory", nvidiaSMI, id, f[2])
	}
	return &GPU{ID: id, Name: f[0], Driver: f[1], MemoryBytes: memory << 20, Capability: f[3]}, nil
}

func fields(line string) []string {
	parts := strings.Split(strings.TrimSpace(line), ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// env has a process see this GPU alone. CUDA counts devices from the fastest unless told to count as nvidia-smi does.
func (g *GPU) env() []string {
	if g == nil {
		return nil
	}
	return []string{"CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=" + g.ID}
}

// sample holds the GPU's state at a time.
type sample struct {
	at   time.Time
	used uint64  // bytes of its memory, by all programs
	busy float64 // utilization from 0 to 1, negative if unknown
}

// watch collects samples until it is stopped. That of no GPU has none.
type watch struct {
	cmd     *exec.Cmd
	done    chan struct{}
	mu      sync.Mutex
	samples []sample
	err     error
}

// watchInterval is the time between samples. nvidia-smi's utilization is itself that of some tenths of a second.
const watchInterval = 100 * time.Millisecond

func (g *GPU) watch(ctx context.Context) (*watch, error) {
	if g == nil {
		return nil, nil
	}
	return startWatch(ctx, nvidiaSMI, "--id="+g.ID, "--query-gpu=utilization.gpu,memory.used",
		"--format=csv,noheader,nounits",
		fmt.Sprintf("--loop-ms=%d", watchInterval.Milliseconds()))
}

// startWatch reads samples from the lines that a command prints, and waits for the first.
func startWatch(ctx context.Context, name string, args ...string) (*watch, error) {
	w := &watch{cmd: exec.CommandContext(ctx, name, args...), done: make(chan struct{})}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("watch the GPU: %w", err)
	}
	first := make(chan struct{})
	go w.read(out, first)
	select {
	case <-first:
	case <-w.done:
	case <-time.After(10 * time.Second):
	}
	if w.latest() == nil {
		_ = w.cmd.Process.Kill()
		<-w.done
		return nil, errors.Join(fmt.Errorf("watch the GPU: %s printed no sample", name), w.stop())
	}
	return w, nil
}

func (w *watch) read(out io.Reader, first chan<- struct{}) {
	defer close(w.done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		s, err := parseSample(lines.Text())
		w.mu.Lock()
		if err != nil {
			w.err = err
		} else {
			s.at = time.Now()
			w.samples = append(w.samples, s)
		}
		begins := err == nil && len(w.samples) == 1
		w.mu.Unlock()
		if begins {
			close(first)
		}
	}
}

// parseSample reads "97, 1234": utilization in per cent, memory in MiB. Utilization may be "[N/A]", as of a part of a
// GPU.
func parseSample(line string) (sample, error) {
	f := fields(line)
	if len(f) != 2 {
		return sample{}, fmt.Errorf("watch the GPU: %s prints %q; expected utilization and memory", nvidiaSMI, line)
	}
	used, err := strconv.ParseUint(f[1], 10, 40)
	if err != nil {
		return sample{}, fmt.Errorf("watch the GPU: %s says that %q MiB of memory are used", nvidiaSMI, f[1])
	}
	s := sample{used: used << 20, busy: -1}
	if percent, err := strconv.ParseFloat(f[0], 64); err == nil && percent >= 0 && percent <= 100 {
		s.busy = percent / 100
	} else if !strings.HasPrefix(f[0], "[") {
		return sample{}, fmt.Errorf("watch the GPU: %s says that utilization is %q per cent", nvidiaSMI, f[0])
	}
	return s, nil
}

func (w *watch) latest() *sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.samples) == 0 {
		return nil
	}
	return &w.samples[len(w.samples)-1]
}

// now is the newest sample, to compare later ones with; nil where nothing is watched.
func (w *watch) now() *sample {
	if w == nil {
		return nil
	}
	return w.latest()
}

// growth is by how many bytes more memory than at the sample began was used since then at most.
func (w *watch) growth(began *sample) uint64 {
	if w == nil || began == nil {
		return 0
	}
	time.Sleep(2 * watchInterval) // for a sample of the end
	w.mu.Lock()
	defer w.mu.Unlock()
	most := began.used
	for _, s := range w.samples {
		if s.at.After(began.at) {
			most = max(most, s.used)
		}
	}
	return most - began.used
}

// busy is the median utilization in the spans, nil if there is none.
func (w *watch) busy(spans []bench.Span) *float64 {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var values []float64
	for _, s := range w.samples {
		for _, span := range spans {
			if s.busy >= 0 && !s.at.Before(span.From) && !s.at.After(span.To) {
				values = append(values, s.busy)
			}
		}
	}
	if len(values) == 0 {
		return nil
	}
	m := bench.Median(values)
	return &m
}

// stop ends the command, and returns what was wrong with what it printed.
func (w *watch) stop() error {
	if w == nil {
		return nil
	}
	_ = w.cmd.Process.Kill()
	<-w.done
	_ = w.cmd.Wait()
	return w.err
}
