package train

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"illustrator/data/pairs"
	"illustrator/data/seeds"
	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
)

// BenchmarkRows does on sets of 0.1, 1 and 10 million rows what `illustrator train` does with a set: it opens and
// verifies it, and trains 300 steps of L1 in batches of 32, with validations and checkpoints. Besides it reads every
// row once, shuffled. The process's peak memory must not grow with the set; in that of training are XLA and what it
// compiles. Rows are narrow, so that the largest set has 1.4 GB.
//
//	go test ./train -run - -bench Rows -benchtime 1x
func BenchmarkRows(b *testing.B) {
	dir := b.TempDir()
	for _, part := range []struct { // training comes last: XLA stays in the process
		name string
		do   func(b *testing.B, pairs *pairs.Set)
	}{{"verify", verifyRows}, {"read", readRows}, {"train", trainOnRows}} {
		for _, rows := range []int{100_000, 1_000_000, 10_000_000} {
			b.Run(fmt.Sprintf("%s/rows=%d", part.name, rows), func(b *testing.B) {
				folder := filepath.Join(dir, fmt.Sprint(rows))
				if _, err := os.Stat(folder); err != nil {
					writeWide(b, folder, rows)
				}
				resetPeakMemory(b)
				for b.Loop() {
					pairs, err := pairs.Open(folder)
					if err != nil {
						b.Fatal(err)
					}
					part.do(b, pairs)
					pairs.Close()
				}
				b.ReportMetric(peakMemory(b), "peak-MB")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
			})
		}
	}
}

// wide is the width of z and of the embeddings.
const wide = 16

func verifyRows(b *testing.B, pairs *pairs.Set) {
	if err := pairs.Verify(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
}

// readRows reads every row once, in the order of a training's first epoch.
func readRows(b *testing.B, pairs *pairs.Set) {
	const batch = 32
	z, embeds, rows := make([]float32, batch*wide), make([]float32, batch*wide), make([]int, batch)
	order := NewOrder(1, pairs.Len())
	for at := 0; at+batch <= pairs.Len(); at += batch {
		for i := range rows {
			rows[i] = order.At(at + i)
		}
		if err := pairs.Read(rows, z, embeds); err != nil {
			b.Fatal(err)
		}
	}
}

func trainOnRows(b *testing.B, pairs *pairs.Set) {
	training := &Training{
		Pairs: pairs, Seed: 1, Folder: Folder(b.TempDir()),
		Networks: &pipeline.Networks{Runner: &batch.Runner{Backend: nntest.Backend(b), Store: model.NewStore()}},
		Mapper: mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: wide, ZDim: wide, Width: 64,
			Blocks: 2, Layers: 2},
		Config: Config{
			Batch: 32, NoiseMode: "const", OnNaN: StopOnNaN, LogEvery: 25, Optimizer: torchAdam,
			Validation: Validation{Every: 100, Rows: 1600}, Checkpoint: Checkpoint{Every: 100, Keep: 2},
			Stages: []Stage{{Name: "l1", Losses: losses.Weights{L1: 1},
				Schedule: Schedule{Kind: "constant", Steps: 300, LearningRate: 1e-4}}},
		},
	}
	if state, err := training.Run(b.Context()); err != nil || state.Step != 300 {
		b.Fatal(state, err)
	}
}

// writeWide writes a set in which the same 10,000 normal values are repeated.
func writeWide(b *testing.B, folder string, rows int) {
	meta := pairs.Meta{Domain: "wide", Seed: 100, NoiseMode: "const", DType: "float32", Batch: 32, ZDim: wide,
		EmbedDim: wide, CreatedBy: "benchmark"}
	w, err := pairs.OpenWriter(folder, meta, pairs.DefaultShardRows)
	if err != nil {
		b.Fatal(err)
	}
	const at = 10_000
	values := seeds.Z(1, at*wide)
	for from := 0; from < rows; from += at {
		if err := w.Append(meta.Seed+uint64(from), values, values); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// resetPeakMemory resets peakMemory. Linux only.
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
