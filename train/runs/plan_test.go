package runs

import (
	"strings"
	"testing"

	"illustrator/train"
)

// A batch that a GPU has room for is not offered where train.batch may not have it.
func TestBatchesOnGPUs(t *testing.T) {
	p := Plan{Devices: 1, OnGPU: train.DeviceMemory{PerRow: 400_000, Rows: 32}}
	const want = "largest train.batch with 24 GB: 51000, 40 GB: any, 80 GB: any"
	if got := p.onGPUs(); !strings.HasSuffix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
