package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"illustrator/models/xla"
	"illustrator/models/xla/ahead"
	"illustrator/models/xla/programs"
)

// Result is a program, compiled for a device or not.
type Result struct {
	Case
	// Program is the SHA-256 of the plugin's version, the flags, the device, the program and its options: what was
	// compiled.
	Hash       string       `json:"sha256"`
	Device     string       `json:"device"`
	CuBLAS     bool         `json:"cublas,omitempty"` // products were left to cuBLAS
	Error      string       `json:"error,omitempty"`  // why it was not compiled
	Seconds    float64      `json:"compile_seconds"`
	Memory     ahead.Memory `json:"memory"`
	StableHLO  int          `json:"stablehlo_bytes"`
	Compiled   *Counts      `json:"compiled,omitempty"`
	Operations int          `json:"operations"` // of StableHLO

	launches []Launch
}

// compileCase builds the program of c for a CUDA device and compiles it for each of the devices. Results that known has
// are kept.
func compileCase(ctx context.Context, c job, plugin string, devices []ahead.Device, known []Result) ([]Result, error) {
	p, err := programOf(c.Program)
	if err != nil {
		return nil, err
	}
	taken, err := capture(ctx, p, c.Case, plugin)
	if err != nil {
		return nil, fmt.Errorf("%v: build: %w", c.Case, err)
	}
	info, err := xla.Load(plugin)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, d := range devices {
		r := Result{Case: c.Case, Device: d.Name, CuBLAS: c.CuBLAS, StableHLO: len(taken.Code),
			Operations: strings.Count(string(taken.Code), " = ")}
		r.Hash = hash(info.API, info.CUDA, compilerFlags, analysisVersion, d.Config(), string(taken.Code),
			string(taken.Options))
		same := func(k Result) bool { return k.Hash == r.Hash && k.Case == r.Case && k.CuBLAS == r.CuBLAS }
		if at := slices.IndexFunc(known, same); at >= 0 {
			results = append(results, known[at])
			continue
		}
		if err := r.compile(plugin, d, taken); err != nil {
			r.Error = err.Error()
		}
		results = append(results, r)
	}
	return results, nil
}

// analysisVersion changes with what count counts.
const analysisVersion = "1"

func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// capture runs the program until it would be compiled, and returns it.
func capture(ctx context.Context, p program, c Case, plugin string) (programs.Program, error) {
	var taken *programs.Program
	var options []string
	if c.Precision != float32s {
		options = []string{"tf32"}
	}
	backend, err := xla.OpenDescribed(plugin, options, func(p programs.Program) {
		if taken == nil {
			taken = &p
		}
	})
	if err != nil {
		return programs.Program{}, err
	}
	err = p.run(ctx, backend, c)
	if taken == nil {
		return programs.Program{}, errors.Join(errors.New("nothing came to be compiled"), err)
	}
	return *taken, nil
}

func (r *Result) compile(plugin string, d ahead.Device, p programs.Program) error {
	compiler, err := ahead.Open(plugin, d)
	if err != nil {
		return err
	}
	began := time.Now()
	memory, optimized, err := compiler.Compile(p)
	r.Seconds = time.Since(began).Seconds()
	if err != nil {
		return err
	}
	r.Memory = memory
	m, err := parseModule(optimized)
	if err != nil {
		return fmt.Errorf("read the optimised program: %w", err)
	}
	counts, launches := count(m, d, r.Precision)
	r.Compiled, r.launches = &counts, launches
	return nil
}
