package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// Files of a run's folder.
const (
	bestMapper  = "mapper-best"
	pairsFile   = "pairs.arrow"
	configFile  = "config.yaml"
	runInfoFile = "run.json"
)

type trainOptions struct {
	config, pairs, out string
	set                []string
}

func newTrainCommand(opts *globalOptions) *cobra.Command {
	var t trainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a mapper",
		Long: `Trains a mapper as a YAML file says and writes a run folder: config.yaml, prompts.safetensors, metrics.jsonl,
mapper-best and mapper-last. Pairs are sampled into the folder first unless --pairs gives a file. The same command again
finishes what is missing and redoes nothing that is done.`,
		Example: `  illustrator train --config lorelei --out runs/first
  illustrator train --config paper --pairs pairs.arrow --set train.batch=16 --out runs/batch16`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			run, err := configs.OpenRun(t.config, t.set)
			if err != nil {
				return err
			}
			s, err := opts.openDomain(run.Domain)
			if err != nil {
				return err
			}
			info, err := opts.trainRun(cmd, s, run, t.pairs, t.out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(opts.stdout, "%s: validation %s\n", filepath.Join(t.out, bestMapper), lossNote(info.Validation))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.config, "config", "lorelei", fmt.Sprintf("run: one of %s, or the path of a YAML file", strings.Join(configs.Names("runs"), ", ")))
	flags.StringArrayVar(&t.set, "set", nil, "override a setting: key=value, such as train.batch=16; may be repeated")
	flags.StringVar(&t.pairs, "pairs", "", "pairs file (default pairs.arrow in the run's folder, sampled if missing)")
	flags.StringVarP(&t.out, "out", "o", "", "the run's folder (required)")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// runInfo is run.json: what a finished training was and came to.
type runInfo struct {
	Versions   versions          `json:"versions"`
	Device     string            `json:"device"`
	Networks   map[string]string `json:"networks_sha256"`
	Pairs      string            `json:"pairs"`
	Parameters int               `json:"mapper_parameters"`
	Steps      int               `json:"steps"`
	Seconds    float64           `json:"seconds"`
	Validation losses.Values     `json:"validation"`
}

// trainRun brings the run in folder out to its end: pairs, prompts, mapper. What is there already is kept.
func (o *globalOptions) trainRun(cmd *cobra.Command, s *session, run configs.Run, pairsPath, out string) (runInfo, error) {
	var info runInfo
	if err := claimFolder(out, run); err != nil {
		return info, err
	}
	infoPath := filepath.Join(out, runInfoFile)
	if raw, err := os.ReadFile(infoPath); err == nil {
		if err := json.Unmarshal(raw, &info); err != nil {
			return info, fault.Hint(fmt.Errorf("read %s: %w", infoPath, err), "remove the file to train again")
		}
		return info, nil
	}
	pairs, err := o.pairsOf(cmd, s, run, pairsPath, out)
	if err != nil {
		return info, err
	}
	source := fmt.Sprintf("%d pairs of domain %s from seed %d", pairs.Len(), pairs.Meta.Domain, pairs.Meta.Seed)
	if _, err := s.writePrompts(cmd.Context(), filepath.Join(out, promptsFile), s.domain.TextPrompt, pairs.ImageEmbeds, source); err != nil {
		return info, err
	}

	m := run.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, pairs.Meta.EmbedDim, pairs.Meta.ZDim
	bar := o.newProgress("Training", run.Train.Steps())
	defer bar.Done()
	training := train.Training{
		Config: run.Train, Mapper: m, Seed: run.Seed, Networks: s.networks, Pairs: pairs, Folder: out,
		Progress: func(step int, stage train.Stage, values losses.Values) {
			bar.Set(step, stage.Name+" "+lossNote(values))
		},
	}
	began := time.Now()
	result, err := training.Run(cmd.Context())
	if err != nil {
		return info, err
	}
	info = runInfo{
		Versions: readVersions(), Device: s.networks.Backend.Description(), Networks: s.networks.Hashes, Pairs: source,
		Parameters: m.Parameters(), Steps: result.Steps, Seconds: time.Since(began).Seconds(), Validation: result.Validation,
	}
	return info, writeJSON(infoPath, info)
}

// pairsOf reads the run's pairs and samples them first if there are none.
func (o *globalOptions) pairsOf(cmd *cobra.Command, s *session, run configs.Run, path, out string) (*data.Pairs, error) {
	mode := stylegan2.NoiseMode(run.Pairs.NoiseMode)
	want := data.SampleOptions{Domain: s.domain.Name, NoiseMode: mode}.Meta(s.networks)
	if path != "" {
		pairs, err := data.ReadPairs(path)
		if err != nil {
			return nil, err
		}
		want.NoiseMode = "" // a file given by hand may have any
		return pairs, pairs.Check(want)
	}
	path = filepath.Join(out, pairsFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := o.samplePairs(cmd, s, path, run.Pairs.Rows, run.Seed, mode); err != nil {
			return nil, err
		}
	}
	pairs, err := data.ReadPairs(path)
	if err != nil {
		return nil, err
	}
	return pairs, pairs.Check(want)
}

// claimFolder makes the run's folder and stores the settings in it, or finds the same settings there.
func claimFolder(out string, run configs.Run) error {
	text, err := run.YAML()
	if err != nil {
		return err
	}
	path := filepath.Join(out, configFile)
	if there, err := os.ReadFile(path); err == nil {
		if bytes.Equal(there, text) {
			return nil
		}
		return fault.Usage(fmt.Errorf("%s holds a run with other settings: %s", out, firstDifference(there, text)), "give another --out, or remove that folder")
	}
	if err := createFolder(out); err != nil {
		return err
	}
	return renameio.WriteFile(path, text, 0o666)
}

// firstDifference shows the first line in which two settings differ.
func firstDifference(have, want []byte) string {
	a, b := strings.Split(string(have), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("it has %q where %q is asked for", strings.TrimSpace(a[i]), strings.TrimSpace(b[i]))
		}
	}
	return "one has more lines"
}

// lossNote is a few words on losses, for the progress bar.
func lossNote(v losses.Values) string {
	return fmt.Sprintf("l1 %.3f semantic %.3f reg %.3f", v.L1, v.Semantic, v.Regularization)
}

// writeJSON writes v, indented, under a final name at once.
func writeJSON(path string, v any) error {
	var text bytes.Buffer
	if err := printJSON(&text, v); err != nil {
		return err
	}
	return renameio.WriteFile(path, text.Bytes(), 0o666)
}
