// Package pipeline joins a domain's networks: text → CLIP embedding → mapper → Z → picture, with plain slices at its
// border and one device behind it.
//
// Axes: N items, E embedding, Z latent, L layers of the generator, H picture height and width.
package pipeline

import (
	"fmt"
	"maps"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/batch"
	"illustrator/models/classifier"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/stylegan2"
)

// Scopes of the networks' weights in Networks.Store.
const (
	generatorScope  = "generator"
	clipScope       = "clip"
	classifierScope = "classifier"
	MapperScope     = "mapper"
)

// Frozen reports whether scope, a full path such as "/clip", holds weights that no training changes.
func Frozen(scope string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(scope, "/"), "/")
	return first == generatorScope || first == clipScope || first == classifierScope
}

// Networks are a domain's frozen networks and, once loaded, a mapper. Weights are put on the device when they are first
// needed. Networks is for one goroutine at a time.
type Networks struct {
	// Runner has the device, and in its Store the variables of all networks, each in its own scope.
	*batch.Runner

	Generator stylegan2.Config
	CLIP      clip.Config
	Tokenizer *clip.Tokenizer
	// Preprocessor makes CLIP's input from picture files; generated pictures go through the release's area filter.
	Preprocessor clip.Preprocessor
	Classifier   *classifier.Config // nil in a domain without one
	Mapper       *mapper.Config     // nil until LoadMapper

	// Precision is that of drawn pictures and of the embeddings of pictures. Texts, mapper and styles are float32.
	Precision Precision

	// Pictures is the number of pictures drawn at once; 0 leaves that to PictureBatch.
	Pictures int

	// Hashes identify the networks: SHA-256 of their weights by scope ("generator", "clip", "classifier", "mapper").
	Hashes map[string]string

	mapperScope string // MapperScope, unless the frozen networks are shared
	folders     map[string]*checkpoints.Folder
	loaded      map[string]bool
	mean        []float32 // the mean W [Z], nil until truncation needs it
}

// Locations say where a domain's networks are: folders on disk or "embedded:…". Classifier may be empty.
type Locations struct{ Generator, CLIP, Classifier string }

// Open reads the configurations of the networks at l; no weights yet.
func Open(backend compute.Backend, l Locations) (*Networks, error) {
	n := empty(backend)
	if err := n.open(generatorScope, l.Generator, &n.Generator); err != nil {
		return nil, err
	}
	if err := n.Generator.Validate(); err != nil {
		return nil, fmt.Errorf("generator %q: %w", l.Generator, err)
	}
	if err := n.openCLIP(l.CLIP); err != nil {
		return nil, err
	}
	if l.Classifier == "" {
		return n, nil
	}
	n.Classifier = new(classifier.Config)
	if err := n.open(classifierScope, l.Classifier, n.Classifier); err != nil {
		return nil, err
	}
	if err := n.Classifier.Validate(); err != nil {
		return nil, fmt.Errorf("classifier %q: %w", l.Classifier, err)
	}
	return n, nil
}

// OpenCLIP reads the configuration of the CLIP at location: the networks embed, and draw nothing.
func OpenCLIP(backend compute.Backend, location string) (*Networks, error) {
	n := empty(backend)
	return n, n.openCLIP(location)
}

// FromWeights joins a generator and a CLIP whose weights are in memory, such as random ones to measure speed, to be
// computed with in precision p alone. It has no tokenizer, so it can't embed texts.
func FromWeights(backend compute.Backend, p Precision, generator stylegan2.Config,
	generatorWeights *checkpoints.Weights, clipConfig clip.Config, clipWeights *checkpoints.Weights) (*Networks, error) {
	n := empty(backend)
	n.Generator, n.CLIP, n.Precision = generator, clipConfig, p
	n.Preprocessor = clip.DefaultPreprocessor(clipConfig.Vision.ImageSize)
	for scope, weights := range map[string]*checkpoints.Weights{generatorScope: generatorWeights, clipScope: clipWeights} {
		load := n.load
		if p == BFloat16 {
			load = n.loadNarrow
		}
		if err := load(scope, weights); err != nil {
			return nil, fmt.Errorf("load %s: %w", scope, err)
		}
		n.loaded[p.scope(scope)] = true
	}
	return n, nil
}

func empty(backend compute.Backend) *Networks {
	return &Networks{
		Runner:      batch.NewRunner(backend),
		Hashes:      map[string]string{},
		mapperScope: MapperScope,
		folders:     map[string]*checkpoints.Folder{},
		loaded:      map[string]bool{},
	}
}

// open reads the config.json of a network's folder into config.
func (n *Networks) open(scope, location string, config any) error {
	folder, err := checkpoints.Open(location)
	if err != nil {
		return fmt.Errorf("open %s: %w", scope, err)
	}
	n.folders[scope] = folder
	n.Hashes[scope] = folder.SHA256()
	return folder.Config(config)
}

func (n *Networks) openCLIP(location string) error {
	folder, err := checkpoints.Open(location)
	if err != nil {
		return fmt.Errorf("open %s: %w", clipScope, err)
	}
	n.folders[clipScope] = folder
	n.Hashes[clipScope] = folder.SHA256()
	if n.CLIP, n.Tokenizer, err = clip.Open(folder); err != nil {
		return err
	}
	n.Preprocessor, err = clip.OpenPreprocessor(folder, n.CLIP)
	return err
}

// need loads the weights of the named networks that are not loaded yet.
func (n *Networks) need(scopes ...string) error {
	for _, scope := range scopes {
		if n.loaded[scope] {
			continue
		}
		folder := n.folders[scope]
		if folder == nil {
			return fmt.Errorf("this domain has no %s", scope)
		}
		weights, err := folder.Weights()
		if err != nil {
			return fmt.Errorf("load %s: %w", scope, err)
		}
		if err := n.load(scope, weights); err != nil {
			return fmt.Errorf("load %s: %w", scope, err)
		}
		n.loaded[scope] = true
	}
	return nil
}

func (n *Networks) load(network string, w *checkpoints.Weights) error {
	scope := n.Store.Scope(network)
	if network == MapperScope {
		scope = n.Store.Scope(n.mapperScope)
	}
	switch network {
	case generatorScope:
		return stylegan2.Load(scope, n.Generator, w, dtypes.Float32)
	case clipScope:
		if err := w.Check(n.CLIP.Shapes()); err != nil {
			return err
		}
		return nn.Load(scope, w, dtypes.Float32, false)
	case classifierScope:
		return classifier.Load(scope, *n.Classifier, w, dtypes.Float32)
	}
	return mapper.Load(scope, *n.Mapper, w)
}

// LoadMapper loads the mapper of a folder, in the place of one loaded before. It must fit the domain's CLIP and
// generator, and where its manifest names those that it was trained with, they must be the same.
func (n *Networks) LoadMapper(location string) error {
	cfg := new(mapper.Config)
	if err := n.open(MapperScope, location, cfg); err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("mapper %q: %w", location, err)
	}
	if cfg.EmbedDim != n.CLIP.ProjectionDim || cfg.ZDim != n.Generator.StyleDim {
		return fault.Hint(fmt.Errorf("mapper %q maps %d values to %d; this domain's CLIP has %d and its generator takes %d",
			location, cfg.EmbedDim, cfg.ZDim, n.CLIP.ProjectionDim, n.Generator.StyleDim),
			"the mapper was trained for another domain: name that domain, or train a mapper for this one")
	}
	if m := n.folders[MapperScope].Manifest(); m != nil {
		for _, scope := range []string{generatorScope, clipScope} {
			if trained, have := m.Networks[scope], n.Hashes[scope]; trained != "" && trained != have {
				return fault.Hint(fmt.Errorf("mapper %q was trained with %s %.12s; this domain has %.12s", location, scope, trained,
					have),
					"name the domain that it was trained for, or train a mapper for this one")
			}
		}
	}
	n.Mapper, n.loaded[MapperScope] = cfg, false
	n.Forget(n.mapName()) // compiled for the mapper before
	n.Forget(n.mapName() + " from noise")
	return n.need(MapperScope)
}

// FrozenHashes are the SHA-256 of generator and CLIP, which a mapper's manifest keeps.
func (n *Networks) FrozenHashes() map[string]string {
	hashes := map[string]string{}
	for _, scope := range []string{generatorScope, clipScope} {
		if sum := n.Hashes[scope]; sum != "" { // none where the weights were given in memory
			hashes[scope] = sum
		}
	}
	return hashes
}

// Sharing returns networks that share with n its device, its programs and its frozen weights, but have a mapper of
// their own, none until LoadMapper. number, from 1 on, tells them from others that share with n. All of them are for
// one goroutine.
func (n *Networks) Sharing(number int) *Networks {
	shared := *n
	shared.mapperScope = fmt.Sprintf("%s-%d", MapperScope, number)
	shared.Mapper = nil
	shared.Hashes, shared.folders, shared.loaded = maps.Clone(n.Hashes), maps.Clone(n.folders), maps.Clone(n.loaded)
	delete(shared.Hashes, MapperScope)
	delete(shared.loaded, MapperScope)
	return &shared
}

// mapName names the mapper's program.
func (n *Networks) mapName() string { return "map by " + n.mapperScope }

// NeedFrozen loads generator and CLIP, for graphs that are built outside of this package.
func (n *Networks) NeedFrozen() error { return n.NeedFrozenIn(Float32) }

// ImageEmbeds is the frozen half of eq. 9 as a graph: z [B,Z] → the scaled CLIP embedding of its picture [B,E]. scope
// is Networks.Store's root, as graph functions receive it.
func (n *Networks) ImageEmbeds(scope *model.Scope, z *graph.Node, noise stylegan2.Noise) *graph.Node {
	return n.ImageEmbedsIn(scope, Float32, z, noise)
}

// StyleEmbeds is ImageEmbeds of styles: ws [B,L,Z] → the scaled CLIP embedding of its picture [B,E].
func (n *Networks) StyleEmbeds(scope *model.Scope, ws *graph.Node, noise stylegan2.Noise) *graph.Node {
	return embedImages(scope.At(clipScope), n.CLIP,
		stylegan2.Synthesis(scope.At(generatorScope), n.Generator, ws, noise))
}

// Preprocessing names what happens between generator and CLIP, for the metadata of pairs.
func (n *Networks) Preprocessing() string {
	return fmt.Sprintf("area-%d-clip", n.CLIP.Vision.ImageSize)
}

// TokenEmbeddings returns the table [V,W] of CLIP's token embeddings, from its file: no device is needed.
func (n *Networks) TokenEmbeddings() ([]float32, error) {
	folder := n.folders[clipScope]
	if folder == nil {
		return nil, fmt.Errorf("this domain has no %s", clipScope)
	}
	weights, err := folder.Weights()
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", clipScope, err)
	}
	if err := weights.Check(n.CLIP.Shapes()); err != nil {
		return nil, fmt.Errorf("load %s: %w", clipScope, err)
	}
	return weights.Tensors[clip.TokenEmbedding].Float32View()
}
