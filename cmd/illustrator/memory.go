package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// memory is in bytes; zero where it is not known.
type memory struct {
	Total     uint64 `json:"total_bytes"`
	Available uint64 `json:"available_bytes"`
}

// memoryNeeded is what the embedded domain's runs may take at most.
const memoryNeeded = 4 << 30

func (m memory) check() check {
	c := check{Name: "memory", Status: statusOK, Detail: "not known on this system"}
	if m.Total == 0 {
		return c
	}
	c.Detail = fmt.Sprintf("%s, %s of it available", byteSize(int64(m.Total)), byteSize(int64(m.Available)))
	if m.Available < memoryNeeded {
		c.Status, c.Fix = statusWarning, "end other programs: runs on the embedded domain take up to 4 GiB"
	}
	return c
}

// readMemory reads the machine's memory, or what the control group of this process leaves of it. Linux only.
func readMemory() memory {
	var m memory
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
