package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"illustrator/cmd/terminal"
	"illustrator/models/xla/ahead"
)

// compilerFlags are XLA's where no device can measure which algorithm is the fastest.
const compilerFlags = "--xla_gpu_autotune_level=0"

// cublasFlag leaves products to cuBLAS.
const cublasFlag = "--xla_gpu_enable_triton_gemm=false"

// compileInChild has a process of its own build and compile a case: XLA reads its flags once, and may end the process.
func compileInChild(ctx context.Context, plugin, known string, j job) ([]Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	child := exec.CommandContext(ctx, self, "--case", string(text), "--plugin", plugin, "--known", known)
	xlaFlags := compilerFlags
	if j.CuBLAS {
		xlaFlags += " " + cublasFlag
	}
	child.Env = append(os.Environ(), "XLA_FLAGS="+xlaFlags, "TF_CPP_MIN_LOG_LEVEL=3")
	var stdout, stderr bytes.Buffer
	child.Stdout, child.Stderr = &stdout, &stderr
	child.WaitDelay = time.Second
	err = child.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var results []Result
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &results)
	}
	if err == nil {
		return results, nil
	}
	for _, d := range j.Devices {
		results = append(results, Result{Case: j.Case, Device: d, CuBLAS: j.CuBLAS,
			Error: fmt.Sprintf("%v: %s", err, lastLines(stderr.String()))})
	}
	return results, nil
}

func lastLines(text string) string {
	text = strings.TrimSpace(text)
	return strings.Join(strings.Fields(text[max(0, len(text)-400):]), " ")
}

// runCase is the child's side.
func runCase(ctx context.Context, opts *terminal.Options, o options) error {
	var j job
	if err := json.Unmarshal([]byte(o.asCase), &j); err != nil {
		return err
	}
	known, err := readResults(o.known)
	if err != nil {
		return err
	}
	var devices []ahead.Device
	for _, d := range ahead.Devices() {
		if slices.Contains(j.Devices, d.Name) {
			devices = append(devices, d)
		}
	}
	results, err := compileCase(ctx, j, o.plugin, devices, known)
	if err != nil {
		return err
	}
	if o.kernels > 0 {
		return printKernels(opts.Stdout, results, o.kernels)
	}
	return json.NewEncoder(opts.Stdout).Encode(results)
}
