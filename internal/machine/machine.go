// Package machine reads how much memory the machine has and how busy it is.
package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Memory is in bytes; zero where it is not known.
type Memory struct {
	Total     uint64 `json:"total_bytes"`
	Available uint64 `json:"available_bytes"`
}

// ReadMemory reads the machine's memory, or what the control group of this process leaves of it. Linux only.
func ReadMemory() Memory {
	var m Memory
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(content)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kib); err == nil {
			m.Total = kib << 10
		} else if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); err == nil {
			m.Available = kib << 10
		}
	}
	const group = "/sys/fs/cgroup"
	limit, errLimit := readUint(filepath.Join(group, "memory.max"))
	used, errUsed := readUint(filepath.Join(group, "memory.current"))
	if errors.Join(errLimit, errUsed) == nil && limit < m.Total {
		m.Total = limit
		m.Available = min(m.Available, limit-min(used, limit))
	}
	return m
}

// readUint reads a file that holds one number; "max" is an error.
func readUint(path string) (n uint64, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(string(content), &n)
	return n, err
}

// LoadAverage returns the system's load over the last minute, "" where it does not tell (Linux only).
func LoadAverage() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	load, _, _ := strings.Cut(string(content), " ")
	return load
}

// ByteSize prints a number of bytes with the largest unit of which there is a whole one.
func ByteSize(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), "KiB"
	for _, larger := range []string{"MiB", "GiB", "TiB"} {
		if value < 1<<10 {
			break
		}
		value, unit = value/(1<<10), larger
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// Processor returns the name of the machine's processor, the architecture where the system does not tell (Linux only).
func Processor() string {
	content, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
