package data

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// BenchmarkPairsRead reads every row of sets of 0.1, 1 and 10 million rows once, in shuffled batches of 32, and reports
// the process's peak memory while it does: it must not grow with the set. Rows are narrow, so that the largest set has
// 1.4 GB.
//
//	go test ./data -run - -bench PairsRead -benchtime 1x
func BenchmarkPairsRead(b *testing.B) {
	const width, batch = 16, 32
	for _, rows := range []int{100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			folder := filepath.Join(b.TempDir(), "set")
			writeWide(b, folder, rows, width)
			p, err := OpenPairs(folder)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			z, embeds, order := make([]float32, batch*width), make([]float32, batch*width), make([]int, batch)
			resetPeakMemory(b)
			for b.Loop() {
				for at := 0; at+batch <= rows; at += batch {
					for i := range order {
						order[i] = (at + i) * 61_803_399 % rows // has no factor in common with rows: every row once
					}
					if err := p.Read(order, z, embeds); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
			b.ReportMetric(peakMemory(b), "peak-MB")
		})
	}
}

// writeWide writes a set of which only the seeds differ.
func writeWide(b *testing.B, folder string, rows, width int) {
	meta := testMeta
	meta.ZDim, meta.EmbedDim = width, width
	w, err := OpenPairsWriter(folder, meta, DefaultShardRows)
	if err != nil {
		b.Fatal(err)
	}
	const at = 10_000
	values := make([]float32, at*width)
	for from := 0; from < rows; from += at {
		if err := w.Append(meta.Seed+uint64(from), values, values); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
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
