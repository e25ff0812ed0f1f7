package eval

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"

	"illustrator/checkpoints"
	"illustrator/internal/machine"
	"illustrator/internal/sealed"
	"illustrator/internal/version"
)

// FeaturesSuffix ends the names of files with features.
const FeaturesSuffix = ".features"

// FeatureCache keeps the features of generators' own pictures on the disk, so that they are drawn and embedded once and
// serve any evaluation with the same networks. Its keys cover all that the features' bits depend on.
type FeatureCache struct {
	Folder *sealed.Folder
	Log    *slog.Logger
}

// key is the key of a number of the generator's own samples, "" where none are kept: without a cache, of files, and
// where the networks have no hashes.
func (c *FeatureCache) key(m *measurement, samples int) (string, error) {
	if c == nil || len(m.Reference.Files) > 0 || m.networks.Hashes["generator"] == "" || m.networks.Hashes["clip"] == "" {
		return "", nil
	}
	built := version.Read()
	text, err := json.Marshal(map[string]any{
		"format": "illustrator's features, 1", "networks": m.referenceNetworks(m.networks),
		"generator": m.networks.Hashes["generator"], "noise": m.referenceNoise(), "samples": samples,
		"first_seed": uint64(referenceSeed), "precision": m.networks.Precision.String(), "widths": m.featureWidths(),
		// Last digits depend on these.
		"batch":   []int{m.networks.PictureBatch(), atOnce},
		"backend": m.networks.Backend.Description(), "processor": machine.Processor(), "cores": runtime.NumCPU(),
		"libraries": []string{built.GoMLX, built.GoXLA},
	})
	return checkpoints.SHA256(text), err
}

// featureWidths are the widths of a row of the reference, which the judge's CLIP does not see.
func (m *measurement) featureWidths() [3]int {
	widths := m.widths()
	widths[1] = 0
	return widths
}

// part returns n rows from a place on, of these widths; none where there are none.
func (r rows) part(from, n int, widths [3]int) (part rows) {
	cut := func(values []float32, width int) []float32 {
		if len(values) == 0 {
			return nil
		}
		return values[from*width : (from+n)*width]
	}
	return rows{own: cut(r.own, widths[0]), inception: cut(r.inception, widths[2])}
}

// read returns the features of a number of samples, of these widths, where they are kept under a key. Damaged ones are
// made again.
func (c *FeatureCache) read(key string, samples int, widths [3]int) (r rows, ok bool) {
	if key == "" {
		return r, false
	}
	content, err := c.Folder.Read(key)
	own, inception := make([]float32, samples*widths[0]), make([]float32, samples*widths[2])
	if want := 4 * (len(own) + len(inception)); err == nil && content != nil && len(content) != want {
		err = fmt.Errorf("%s has %d bytes of features, want %d", c.Folder.File(key), len(content), want)
	}
	if err != nil {
		c.Log.Warn(fmt.Sprintf("kept features of the reference are of no use and are made again: %v", err))
		return r, false
	}
	if content == nil {
		return r, false
	}
	in := bytes.NewReader(content)
	_ = binary.Read(in, binary.LittleEndian, own) // of the right length
	_ = binary.Read(in, binary.LittleEndian, inception)
	return rows{own: own, inception: inception}, true
}

// write keeps features under a key. The evaluation does not fail for lack of room.
func (c *FeatureCache) write(key string, r rows) {
	if key == "" {
		return
	}
	content, err := binary.Append(nil, binary.LittleEndian, r.own)
	if err == nil {
		content, err = binary.Append(content, binary.LittleEndian, r.inception)
	}
	if err == nil {
		err = c.Folder.Write(key, content)
	}
	if err != nil {
		c.Log.Warn(fmt.Sprintf("the reference's features are not kept for other evaluations: %v", err))
	}
}
