package cuda

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// GPU is a device as nvidia-smi lists it.
type GPU struct {
	Index       int
	Name, UUID  string
	Total, Free int64   // bytes
	Capability  float64 // compute capability, 9.0 of an H100; 0 if unknown
	MIG         bool    // divided into instances
	Instances   []Instance
}

// Instance is a part of a GPU in MIG mode.
type Instance struct {
	Profile string // such as "3g.40gb"
	UUID    string
	Bytes   int64 // of memory, by the profile's name; 0 if it tells none
}

// Machine holds what NVIDIA's tools say of this machine.
type Machine struct {
	Driver Driver
	GPUs   []GPU
	// Failure is the answer of an nvidia-smi that lists no GPUs, "" where it lists some.
	Failure string
	// NoTool says that nvidia-smi is missing.
	NoTool bool
	// Visible is CUDA_VISIBLE_DEVICES, VisibleSet whether it is set.
	Visible    string
	VisibleSet bool
}

// visibleEnv hides GPUs from CUDA, or chooses some.
const visibleEnv = "CUDA_VISIBLE_DEVICES"

// queryFields are the fields that nvidia-smi is asked for. Older drivers know only the first five.
var queryFields = []string{"index", "uuid", "driver_version", "memory.total", "memory.free", "compute_cap",
	"mig.mode.current", "name"}

const toolTimeout = 20 * time.Second

// Probe asks nvidia-smi for the driver and the GPUs.
func Probe(ctx context.Context) Machine {
	tool, err := exec.LookPath("nvidia-smi")
	if err != nil {
		m := Machine{NoTool: true}
		m.Visible, m.VisibleSet = os.LookupEnv(visibleEnv)
		return m
	}
	m := probe(func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, toolTimeout)
		defer cancel()
		out, err := exec.CommandContext(ctx, tool, args...).Output() // nvidia-smi prints its errors there, too
		return string(out), err
	})
	m.Visible, m.VisibleSet = os.LookupEnv(visibleEnv)
	return m
}

func probe(run func(args ...string) (string, error)) Machine {
	const csv = "--format=csv,noheader,nounits"
	out, err := run("--query-gpu="+strings.Join(queryFields, ","), csv)
	fields := len(queryFields)
	if err != nil && strings.Contains(out, "is not a valid field") {
		fields = 5
		out, err = run("--query-gpu="+strings.Join(queryFields[:fields], ","), csv)
	}
	m := Machine{}
	for line := range strings.Lines(out) {
		if gpu, driver, ok := parseGPU(line, fields); ok {
			m.GPUs, m.Driver = append(m.GPUs, gpu), driver
		}
	}
	if len(m.GPUs) == 0 {
		m.Failure = strings.Join(strings.Fields(out), " ")
		if m.Failure == "" && err != nil {
			m.Failure = err.Error()
		}
		return m
	}
	if list, err := run("-L"); err == nil {
		m.addInstances(list)
	}
	return m
}

// parseGPU reads a line of nvidia-smi's answer to queryFields. Fields that a GPU lacks are "[N/A]".
func parseGPU(line string, fields int) (gpu GPU, driver Driver, ok bool) {
	parts := strings.SplitN(strings.TrimSpace(line), ", ", fields)
	if len(parts) != fields {
		return GPU{}, nil, false
	}
	index, err := strconv.Atoi(parts[0])
	driver, driverErr := parseDriver(parts[2])
	if errors.Join(err, driverErr) != nil {
		return GPU{}, nil, false
	}
	const mebibyte = 1 << 20
	total, _ := strconv.ParseInt(parts[3], 10, 64)
	free, _ := strconv.ParseInt(parts[4], 10, 64)
	gpu = GPU{Index: index, UUID: parts[1], Total: total * mebibyte, Free: free * mebibyte, Name: "GPU " + parts[0]}
	if fields > 5 {
		gpu.Capability, _ = strconv.ParseFloat(parts[5], 64)
		gpu.MIG, gpu.Name = parts[6] == "Enabled", parts[7]
	}
	return gpu, driver, true
}

var (
	listedGPU      = regexp.MustCompile(`^GPU (\d+): `)
	listedInstance = regexp.MustCompile(`^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)`)
	profileMemory  = regexp.MustCompile(`\.(\d+)gb`)
)

// addInstances reads the instances of GPUs in MIG mode from nvidia-smi's -L.
func (m *Machine) addInstances(list string) {
	var of *GPU
	for line := range strings.Lines(list) {
		if match := listedGPU.FindStringSubmatch(line); match != nil {
			of = nil
			for i := range m.GPUs {
				if strconv.Itoa(m.GPUs[i].Index) == match[1] {
					of = &m.GPUs[i]
				}
			}
		} else if match := listedInstance.FindStringSubmatch(line); match != nil && of != nil {
			instance := Instance{Profile: match[1], UUID: match[2]}
			if size := profileMemory.FindStringSubmatch(instance.Profile); size != nil {
				gibibytes, _ := strconv.ParseInt(size[1], 10, 64)
				instance.Bytes = gibibytes << 30
			}
			of.Instances = append(of.Instances, instance)
		}
	}
}

// HasGPU reports whether this machine has a device file of a GPU that CUDA could use.
func HasGPU() bool {
	for _, pattern := range []string{"/dev/nvidia[0-9]*", "/dev/dxg"} {
		if match, _ := filepath.Glob(pattern); len(match) > 0 {
			return true
		}
	}
	return false
}
