package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/data/pairs"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Reference is the set that generated pictures are compared with: the generator's own pictures of z ~ N(0, I) unless
// files or pairs are given.
type Reference struct {
	// Samples limits the generator's pictures, or the pairs; 0 means 2,048.
	Samples int
	// Files are pictures. Pairs is a folder of pairs, which have CLIP's features only.
	Files []string
	Pairs string
	// Keep is a folder in which the features are kept under a name made from what they are of, by one process at a time:
	// they are not made again. "" is Request.Keep.
	Keep string
	// Cache keeps the features of the generator's own pictures for other evaluations; nil keeps none.
	Cache *FeatureCache
	// Features are the reference's, where NewReference has made them; the fields above have no effect then.
	Features *ReferenceFeatures
}

// ReferenceFeatures are made once, and shared by evaluations with the same CLIP and Inception.
type ReferenceFeatures struct {
	// Skipped are the files that could not be read.
	Skipped []Skipped

	rows     rows
	caveat   string
	networks map[string]string // SHA-256 of those that made the rows
}

// NewReference draws or reads the reference that r asks for, and makes the features that r's judges compare.
func NewReference(ctx context.Context, n *pipeline.Networks, r Request) (*ReferenceFeatures, error) {
	r.Reference.Features = nil
	return newMeasurement(n, r).reference(ctx)
}

// referenceNetworks are the networks that features of a reference depend on.
func (r *Request) referenceNetworks(n *pipeline.Networks) map[string]string {
	networks := map[string]string{"clip": n.Hashes["clip"]}
	if r.Judges.Inception != nil {
		networks["inception"] = r.Judges.Inception.SHA256
	}
	return networks
}

// check returns an error if the features lack those of a judge, or are of other networks.
func (f *ReferenceFeatures) check(networks map[string]string) error {
	for name, hash := range networks {
		if f.networks[name] != hash {
			return fmt.Errorf("the reference's features are not those of this %s: make them again", name)
		}
	}
	return nil
}

// referenceLine says what a row of the reference is of.
type referenceLine struct {
	Seed   uint64 `json:"seed,omitempty"`
	File   string `json:"file,omitempty"`
	Reason string `json:"skipped,omitempty"`
}

func (l referenceLine) skipped() bool { return l.Reason != "" }

// reference returns the features of the reference.
func (m *measurement) reference(ctx context.Context) (f *ReferenceFeatures, err error) {
	networks := m.referenceNetworks(m.networks)
	if f := m.Reference.Features; f != nil {
		return f, f.check(networks)
	}
	f = &ReferenceFeatures{networks: networks}
	if m.Reference.Pairs != "" {
		f.rows.own, err = m.referencePairs()
		f.caveat = fmt.Sprintf("against %d pairs", len(f.rows.own)/m.networks.CLIP.ProjectionDim)
		return f, err
	}
	if err := m.gatherReference(ctx, f); err != nil {
		return nil, err
	}
	n := len(f.rows.own) / m.networks.CLIP.ProjectionDim
	if n == 0 {
		return nil, fault.Hint(fmt.Errorf("no picture of the reference could be read: %s: %s", f.Skipped[0].File,
			f.Skipped[0].Reason), "give pictures that can be read")
	}
	f.caveat = fmt.Sprintf("against %d pictures", n)
	if len(m.Reference.Files) == 0 {
		f.caveat += " of the generator's own, of random z"
	}
	return f, nil
}

// referenceSeed is the first seed of the generator's own samples: far from those that pairs are sampled with.
const referenceSeed = 1 << 40

// referenceLines lists the pictures of the reference.
func (m *measurement) referenceLines() (all []referenceLine) {
	for _, path := range m.Reference.Files {
		all = append(all, referenceLine{File: path})
	}
	if all == nil {
		for i := range m.referenceSamples() {
			all = append(all, referenceLine{Seed: referenceSeed + uint64(i)})
		}
	}
	return all
}

// gatherReference makes the rows of pictures batch by batch, and keeps them.
func (m *measurement) gatherReference(ctx context.Context, f *ReferenceFeatures) error {
	all, stage, features := m.referenceLines(), "Drawing the reference", m.ownSamples
	if len(m.Reference.Files) > 0 {
		stage, features = "Reading the reference", m.referenceFiles
	}
	cache := m.Reference.Cache
	key, err := cache.key(m, len(all))
	if err != nil {
		return err
	}
	cached, hit := cache.read(key, len(all), m.featureWidths())
	kept, err := m.openReference(all)
	if err != nil {
		return err
	}
	defer kept.close()
	batches := slices.Collect(slices.Chunk(all, atOnce))
	lines, have, done, err := kept.resume(sizes(batches))
	if err != nil {
		return err
	}
	f.rows.append(have)
	defer m.fixRows(min(len(all), atOnce))()
	for _, batch := range batches[done:] {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		r := cached.part(len(lines), len(batch), m.featureWidths())
		if !hit {
			if r, err = features(ctx, batch); err != nil {
				return err
			}
		}
		if err := kept.append(batch, r); err != nil {
			return err
		}
		lines = append(lines, batch...)
		f.rows.append(r)
		if !hit {
			m.Progress(stage, len(lines), len(all))
		}
	}
	for _, l := range lines {
		if l.Reason != "" {
			f.Skipped = append(f.Skipped, Skipped{l.File, l.Reason})
		}
	}
	if !hit {
		cache.write(key, f.rows)
	}
	return nil
}

func sizes[T any](batches [][]T) []int {
	n := make([]int, len(batches))
	for i, b := range batches {
		n[i] = len(b)
	}
	return n
}

// openReference opens the files that rows of the reference are kept in. Their name stands for all that the rows depend
// on; files are told by their size and time.
func (m *measurement) openReference(lines []referenceLine) (*kept[referenceLine], error) {
	folder := cmp.Or(m.Reference.Keep, m.Keep)
	if folder == "" {
		return nil, nil
	}
	of := map[string]any{"networks": m.referenceNetworks(m.networks)}
	if len(m.Reference.Files) > 0 {
		states := []string{}
		for _, l := range lines {
			states = append(states, l.File+" "+fileState(l.File))
		}
		of["files"], of["preprocessor"] = states, m.networks.Preprocessor
	} else {
		of["generator"], of["noise"], of["samples"] = m.networks.Hashes["generator"], m.referenceNoise().NoiseMode, len(lines)
	}
	if p := m.networks.Precision.Narrow(); p != "" {
		of["precision"] = p
	}
	text, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(folder, "reference-"+checkpoints.SHA256(text)[:12])
	return openKept[referenceLine](name+".jsonl", name+".f32", m.featureWidths())
}

// fileState tells a file from what was at its place before, without reading it.
func fileState(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "none"
	}
	return fmt.Sprintf("%d bytes of %d", info.Size(), info.ModTime().UnixNano())
}

func (m *measurement) referenceNoise() pipeline.Synthesis {
	return pipeline.Synthesis{NoiseMode: cmp.Or(m.NoiseMode, stylegan2.NoiseRandom), TruncationPsi: 1}
}

// ownSamples draws the generator's own pictures.
func (m *measurement) ownSamples(ctx context.Context, batch []referenceLine) (rows, error) {
	synthesis := m.referenceNoise()
	var z []float32
	for _, l := range batch {
		synthesis.Keys = append(synthesis.Keys, l.Seed)
		z = append(z, seeds.Z(l.Seed, m.networks.Generator.StyleDim)...)
	}
	styles, err := m.networks.Styles(ctx, z, synthesis.TruncationPsi)
	if err != nil {
		return rows{}, err
	}
	images, err := m.networks.Render(ctx, styles, synthesis)
	if err != nil {
		return rows{}, err
	}
	return m.features(ctx, m.pixelsOf(images))
}

// features are the rows that sets are compared by.
func (m *measurement) features(ctx context.Context, p pixels) (r rows, err error) {
	if r.own, err = p.embed(ctx, m.networks, p.own); err != nil || m.Judges.Inception == nil {
		return r, err
	}
	r.inception, err = m.Judges.Inception.Features(ctx, p.images, p.height, p.width)
	return r, err
}

// referenceFiles reads pictures, which may differ in size; those of one size that follow each other go through the
// networks together. What cannot be read is marked in batch.
func (m *measurement) referenceFiles(ctx context.Context, batch []referenceLine) (r rows, err error) {
	var p pixels
	flush := func() error {
		if len(p.images) == 0 {
			return nil
		}
		more, err := m.features(ctx, p)
		r.append(more)
		p = pixels{}
		return err
	}
	for i := range batch {
		img, err := pictures.ReadImage(ctx, batch[i].File)
		if err != nil {
			batch[i].Reason = err.Error()
			continue
		}
		if !p.fits(img) {
			if err := flush(); err != nil {
				return r, err
			}
		}
		p.add(m, img)
	}
	return r, flush()
}

// openPairs opens the pairs of the reference, which must be of this CLIP.
func (r *Request) openPairs(n *pipeline.Networks) (*pairs.Set, error) {
	set, err := pairs.Open(r.Reference.Pairs)
	if err != nil {
		return nil, err
	}
	if err := set.Check(pairs.Meta{CLIPSHA256: n.Hashes["clip"], EmbedDim: n.CLIP.ProjectionDim}); err != nil {
		return nil, errors.Join(err, set.Close())
	}
	return set, nil
}

// referencePairs reads the embeddings of the first pairs.
func (m *measurement) referencePairs() ([]float32, error) {
	pairs, err := m.openPairs(m.networks)
	if err != nil {
		return nil, err
	}
	defer pairs.Close()
	dim := m.networks.CLIP.ProjectionDim
	var embeds []float32
	for batch, err := range pairs.Batches() {
		if err != nil {
			return nil, err
		}
		embeds = append(embeds, batch.ImageEmbeds...)
		if most := m.referenceSamples() * dim; len(embeds) >= most {
			return embeds[:most], nil
		}
	}
	if len(embeds) == 0 {
		return nil, errors.New("the reference has no pairs")
	}
	return embeds, nil
}

func (r *Request) referenceSamples() int { return cmp.Or(r.Reference.Samples, 2048) }

// OpenReference returns the reference of a number of samples at path: a folder of pairs or of pictures, or the
// generator's own pictures for "".
func OpenReference(ctx context.Context, path string, samples int) (r Reference, err error) {
	r.Samples = samples
	if path == "" {
		return r, nil
	}
	if _, err := os.Stat(filepath.Join(path, "manifest.json")); err == nil {
		r.Pairs = path
		return r, nil
	}
	r.Files, err = pictures.Find(ctx, path)
	return r, err
}
