package configs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// Run is everything that defines a mapper: domain, pairs, network, losses and training. Keys that a file leaves out
// have the values of Defaults.
type Run struct {
	// Domain is the name of an embedded domain, or the path of a YAML file: relative to the folder of the run's file, or
	// in --set to the working directory.
	Domain string        `yaml:"domain"`
	Seed   uint64        `yaml:"seed"`
	Pairs  Pairs         `yaml:"pairs"`
	Mapper mapper.Config `yaml:"mapper"`
	// Init is the folder of a mapper whose weights the training starts from, such as another run's mapper-last; "" starts
	// from fresh ones. It is relative to the same folders as the domain.
	Init  string       `yaml:"init,omitempty"`
	Train train.Config `yaml:"train"`
}

// Pairs says how many pairs are sampled and how.
type Pairs struct {
	// Rows is the number of pairs, those for validation included.
	Rows int `yaml:"rows"`
	// Seed of the first row; row i has seed + i. It is not the run's: trainings of several seeds share their pairs.
	Seed uint64 `yaml:"seed"`
	// NoiseMode is the noise of the generator's pictures: "random", of each row's seed, as in the release, "const", that
	// of the weights' file, or "none".
	NoiseMode stylegan2.NoiseMode `yaml:"noise_mode"`
	// Batch is the number of pictures computed at once, on which an embedding's last digits depend; 0 leaves it to the
	// pictures' size: 32 up to 128 pixels, 8 at 256, 2 at 512, 1 at 1024.
	Batch int `yaml:"batch,omitempty"`
	// Precision of generator and CLIP while pairs are sampled: "float32", the default, or "bfloat16", which is faster on
	// processors that multiply in it, and gives other embeddings (docs/parity-full.md has the error).
	Precision pipeline.Precision `yaml:"precision,omitempty"`
}

// MaxPairsBatch is the most pictures that are computed at once.
const MaxPairsBatch = 4096

// Paper returns the settings of the official release on domain lorelei, whose networks set the widths of Z and of the
// embeddings.
func Paper() Run {
	return Run{
		Domain: "lorelei",
		Pairs:  Pairs{Rows: 10_000, NoiseMode: stylegan2.NoiseRandom},
		Mapper: mapper.Config{Arch: mapper.Dense, Width: 512, Blocks: 5, Layers: 5, Dropout: 0.1},
		Train: train.Config{
			Batch:      8,
			Devices:    1,
			Precision:  pipeline.Float32,
			Unclamped:  true,
			NoiseMode:  stylegan2.NoiseRandom,
			Optimizer:  train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Accumulate: 1},
			Validation: train.Validation{Every: 2000, Rows: 1600},
			Checkpoint: train.Checkpoint{Every: 500, Keep: 2},
			OnNaN:      train.StopOnNaN,
			NaNLimit:   10,
			LogEvery:   25,
			Stages: []train.Stage{{
				Name:     "all losses",
				Losses:   losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
				Schedule: train.Schedule{Kind: train.Cosine, Steps: 75_000, LearningRate: 1e-4, MinLearningRate: 1e-7},
			}},
		},
	}
}

// Defaults returns the values of keys that a file leaves out: Paper's, but that the semantic loss sees clamped
// pictures.
func Defaults() Run {
	run := Paper()
	run.Train.Unclamped = false
	return run
}

// OpenRun reads the run at ref: the name of an embedded one or the path of a YAML file. set are assignments such as
// "train.batch=16", which beat the file. The result's paths are as seen from the working directory.
func OpenRun(ref string, set []string) (Run, error) {
	run := Defaults()
	f, err := open("runs", ref)
	if err != nil {
		return run, err
	}
	if err := decode(f, &run); err != nil {
		return run, err
	}
	for _, p := range run.paths() {
		*p = f.path(*p)
	}
	domain := run.Domain
	for _, assignment := range set {
		if err := run.set(assignment); err != nil {
			return run, err
		}
	}
	if run.Domain != domain && run.Domain != "" {
		if err := run.MoveTo(run.Domain, set); err != nil {
			return run, err
		}
	}
	if err := run.Validate(); err != nil {
		return run, fmt.Errorf("%s: %w", f.name, err)
	}
	return run, nil
}

// paths are the paths among the run's settings.
func (r *Run) paths() []*string {
	if isFile(r.Domain) {
		return []*string{&r.Domain, &r.Init}
	}
	return []*string{&r.Init}
}

// In returns the run as a file in folder has it: with its paths relative to the folder, unless they are absolute.
func (r Run) In(folder string) (Run, error) {
	for _, p := range r.paths() {
		if !isRelative(*p) {
			continue
		}
		from, err := filepath.Abs(folder)
		if err != nil {
			return r, err
		}
		to, err := filepath.Abs(*p)
		if err != nil {
			return r, err
		}
		if *p, err = filepath.Rel(from, to); err != nil {
			return r, err
		}
	}
	return r, nil
}

// CheckDomain returns an error if the domain that the run's file names is a file that does not exist.
func (r Run) CheckDomain(file string) error {
	if _, err := os.Stat(r.Domain); !isFile(r.Domain) || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault.Usage(fmt.Errorf("%s: domain: %q does not exist", file, r.Domain),
		"a path in a file is relative to the file's folder: correct it, or write an absolute one")
}

// MoveTo gives the run another domain. The texts that are drawn to watch the training are then that domain's own,
// unless set, the assignments that the run was opened with, name them: those of the run's file describe its own domain.
func (r *Run) MoveTo(domain string, set []string) error {
	r.Domain = domain
	named := func(assignment string) bool { return strings.HasPrefix(assignment, "train.validation.texts=") }
	if len(r.Train.Validation.Texts) == 0 || slices.ContainsFunc(set, named) {
		return nil
	}
	d, err := OpenDomain(domain)
	if err != nil {
		return err
	}
	r.Train.Validation.Texts, err = d.Examples(len(r.Train.Validation.Texts))
	return err
}

// set applies one assignment "key.key=value": the value is YAML, decoded over the present settings. "train.stages.0.…"
// is a setting of one stage, "losses.…" a loss weight of the last.
func (r *Run) set(assignment string) error {
	return fault.WithCode(r.assign(assignment), InvalidSetting)
}

func (r *Run) assign(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok || key == "" {
		return fault.Usage(fmt.Errorf("set %q is not an assignment", assignment),
			"write key=value, such as train.batch=16")
	}
	var target any = r
	parts := strings.Split(key, ".")
	switch {
	case parts[0] == "losses" && len(r.Train.Stages) > 0:
		target = &r.Train.Stages[len(r.Train.Stages)-1]
	case len(parts) > 1 && parts[0] == "train" && parts[1] == "stages":
		stage, err := r.stage(parts[2:])
		if err != nil {
			return fmt.Errorf("set %q: %w", assignment, err)
		}
		target, parts = stage, parts[3:]
	}
	var document strings.Builder
	for depth, part := range parts {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return fault.Usage(fmt.Errorf("set %q: %q is not a key", assignment, key),
				"write key=value, such as train.batch=16")
		}
		fmt.Fprintf(&document, "\n%s%s:", strings.Repeat("  ", depth), part)
	}
	fmt.Fprintf(&document, " %s\n", value)
	return decode(file{name: "set " + assignment, oneLine: true, data: []byte(document.String())}, target)
}

// stage returns the stage that the first of keys numbers, of which the others name a setting.
func (r *Run) stage(keys []string) (*train.Stage, error) {
	if len(keys) > 1 {
		if i, err := strconv.Atoi(keys[0]); err == nil && i >= 0 && i < len(r.Train.Stages) {
			return &r.Train.Stages[i], nil
		}
	}
	return nil, fault.Usage(errors.New("stages are a list"),
		"name a setting of one stage, such as train.stages.%d.losses.semantic, or write all stages in a YAML file",
		max(0, len(r.Train.Stages)-1))
}

// Validate returns an error that names the first invalid setting.
func (r *Run) Validate() error {
	if r.Domain == "" {
		return fault.Field("domain", fault.Words("missing"), "the name of an embedded domain or the path of a YAML file")
	}
	if r.Pairs.Rows < 2 || r.Pairs.Rows > pairs.MaxRows {
		return fault.Field("pairs.rows", r.Pairs.Rows, "from 2 to %d", pairs.MaxRows)
	}
	if err := fault.CheckChoice("pairs.noise_mode", r.Pairs.NoiseMode); err != nil {
		return err
	}
	if err := fault.CheckChoice("pairs.precision", cmp.Or(r.Pairs.Precision, pipeline.Float32)); err != nil {
		return err
	}
	if r.Pairs.Batch < 0 || r.Pairs.Batch > MaxPairsBatch {
		return fault.Field("pairs.batch", r.Pairs.Batch,
			"from 1 to %d; 0, or leaving it out, takes 32 or what the pictures' size allows", MaxPairsBatch)
	}
	m := r.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, 1, 1 // the domain's networks set these
	if err := m.Validate(); err != nil {
		return err
	}
	if err := r.Train.Validate(); err != nil {
		return err
	}
	if err := r.Train.CheckMapper(m); err != nil {
		return err
	}
	if r.Pairs.Seed+uint64(r.Pairs.Rows) < r.Pairs.Seed {
		return fault.Usage(fmt.Errorf("pairs.seed is %d", r.Pairs.Seed),
			"pairs.seed and pairs.rows together must stay below 2⁶⁴: row i is drawn from seed + i")
	}
	if need := r.Train.Validation.Rows + r.Train.Batch; need > r.Pairs.Rows {
		return fault.Usage(fmt.Errorf("pairs.rows is %d, train.validation.rows %d and train.batch %d",
			r.Pairs.Rows, r.Train.Validation.Rows, r.Train.Batch),
			"leave rows to train on: pairs.rows must be the two others together at least, %d", need)
	}
	return nil
}

// YAML returns the run as a file that reads back to the same run.
func (r Run) YAML() ([]byte, error) { return yaml.Marshal(r) }
