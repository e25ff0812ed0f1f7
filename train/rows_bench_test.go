package train

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"illustrator/data"
	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"

	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
)

// BenchmarkRows does on sets of 0.1, 1 and 10 million rows what `illustrator train` does with a set: it opens and verifies
// it, and trains 300 steps of L1 in batches of 32, with a validation, checkpoints and all. Besides it reads every row once,
// shuffled. The peak memory of the process in each must not grow with the set; that of training has XLA and what it
// compiles in it. Rows are narrow, so that the largest set has 1.4 GB.
//
//	go test ./train -run - -bench Rows -benchtime 1x
func BenchmarkRows(b *testing.B) {
	const width = 16
	for _, rows := range []int{100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			backend := nntest.Backend(b) // skips where there is no plugin
			folder := filepath.Join(b.TempDir(), "set")
			writeWide(b, folder, rows, width)
			for b.Loop() {
				resetPeakMemory(b)
				pairs, err := data.OpenPairs(folder)
				if err == nil {
					err = pairs.Verify(b.Context(), nil)
				}
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(peakMemory(b), "verify-peak-MB")
				resetPeakMemory(b)
				began := b.Elapsed()
				readShuffled(b, pairs, width)
				b.ReportMetric(float64((b.Elapsed()-began).Nanoseconds())/float64(rows), "read-ns/row")
				b.ReportMetric(peakMemory(b), "read-peak-MB")
				resetPeakMemory(b)
				training := &Training{
					Pairs: pairs, Seed: 1, Folder: Folder(b.TempDir()),
					Networks: &pipeline.Networks{Runner: &batch.Runner{Backend: backend, Context: mlcontext.New()}},
					Mapper:   mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: width, ZDim: width, Width: 64, Blocks: 2, Layers: 2},
					Config: Config{
						Batch: 32, NoiseMode: "const", OnNaN: StopOnNaN, LogEvery: 25, Optimizer: torchAdam,
						Validation: Validation{Every: 100, Rows: 1600}, Checkpoint: Checkpoint{Every: 100, Keep: 2},
						Stages: []Stage{{Name: "l1", Losses: losses.Weights{L1: 1}, Schedule: Schedule{Kind: "constant", Steps: 300, LearningRate: 1e-4}}},
					},
				}
				if state, err := training.Run(context.Background()); err != nil || state.Step != 300 {
					b.Fatal(state, err)
				}
				b.ReportMetric(peakMemory(b), "train-peak-MB")
				pairs.Close()
			}
		})
	}
}

// writeWide writes a set in which the same 10,000 normal values are repeated.
func writeWide(b *testing.B, folder string, rows, width int) {
	meta := data.PairsMeta{Domain: "wide", Seed: 100, NoiseMode: "const", DType: "float32", Batch: 32, ZDim: width, EmbedDim: width, CreatedBy: "benchmark"}
	w, err := data.OpenPairsWriter(folder, meta, data.DefaultShardRows)
	if err != nil {
		b.Fatal(err)
	}
	const at = 10_000
	values := data.Z(1, at*width)
	for from := 0; from < rows; from += at {
		if err := w.Append(meta.Seed+uint64(from), values, values); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// readShuffled reads every row once, in the order of a training's first epoch.
func readShuffled(b *testing.B, pairs *data.Pairs, width int) {
	const batch = 32
	z, embeds, rows := make([]float32, batch*width), make([]float32, batch*width), make([]int, batch)
	order := newOrder(1, pairs.Len())
	for at := 0; at+batch <= pairs.Len(); at += batch {
		for i := range rows {
			rows[i] = order.at(at + i)
		}
		if err := pairs.Read(rows, z, embeds); err != nil {
			b.Fatal(err)
		}
	}
}

// resetPeakMemory makes peakMemory begin anew. Linux only.
func resetPeakMemory(b *testing.B) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skipf("peak memory is not known here: %v", err)
	}
}

// peakMemory is the largest resident set since resetPeakMemory, in MB.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	kib := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if kib == nil {
		b.Fatal("no VmHWM in /proc/self/status")
	}
	n, err := strconv.ParseFloat(string(kib[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n * 1024 / 1e6
}
