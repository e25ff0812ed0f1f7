package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/train"
)

// Files of a run's folder.
const (
	bestMapper  = "mapper-best"
	lastMapper  = "mapper-last"
	pairsFolder = "pairs"
	configFile  = "config.yaml"
	runInfoFile = "run.json"
)

type trainOptions struct {
	config, domain, pairs, out string
	set                        []string
}

func newTrainCommand(opts *globalOptions) *cobra.Command {
	var t trainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a mapper",
		Long: `Trains a mapper as a YAML file says and writes a run folder: config.yaml, prompts.safetensors, metrics.jsonl,
mapper-best and mapper-last. Pairs are sampled into the folder first unless --pairs gives a set. The same command again
finishes what is missing and redoes nothing that is done. With --set train.devices=2 two devices share every batch; they
come to the mapper of one device, up to rounding.`,
		Example: `  illustrator train --config lorelei --out runs/first
  illustrator train --config paper --pairs pairs --set train.batch=16 --out runs/batch16`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTrain(cmd.Context(), opts, t) },
	}
	flags := cmd.Flags()
	flags.StringVar(&t.config, "config", "lorelei", fmt.Sprintf("run: one of %s, or the path of a YAML file", strings.Join(configs.Names("runs"), ", ")))
	flags.StringVar(&t.domain, "domain", "", "domain: the name of an embedded one or the path of a YAML file (default the run's)")
	flags.StringArrayVar(&t.set, "set", nil, "override a setting: `key=value`, such as train.batch=16; may be repeated")
	flags.StringVar(&t.pairs, "pairs", "", "folder of pairs (default pairs in the run's folder, sampled if missing)")
	flags.StringVarP(&t.out, "out", "o", "", "the run's folder (required)")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func runTrain(ctx context.Context, opts *globalOptions, t trainOptions) error {
	run, err := configs.OpenRun(t.config, t.set)
	if err != nil {
		return err
	}
	if t.domain != "" {
		run.Domain = t.domain
	}
	s, err := opts.readDomain(run.Domain)
	if err != nil {
		return err
	}
	s.devices = run.Train.Devices
	info, err := opts.trainRun(ctx, s, run, t.pairs, t.out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.stdout, "%s: validation %s\n", filepath.Join(t.out, bestMapper), lossNote(run.Train.Stages[len(run.Train.Stages)-1].Losses, info.Validation))
	return err
}

// trainRun brings the run in folder out to its end: pairs, prompts, mapper. What is there already is kept.
func (o *globalOptions) trainRun(ctx context.Context, s *session, run configs.Run, pairsPath, out string) (runInfo, error) {
	if info, err := s.finishedRun(out, run, pairsPath); info != nil || err != nil {
		return *cmp.Or(info, new(runInfo)), err
	}
	m := run.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, s.networks.CLIP.ProjectionDim, s.networks.Generator.StyleDim
	if err := m.Validate(); err != nil {
		return runInfo{}, err
	}
	pairs, err := o.pairsOf(ctx, s, run, pairsPath, out)
	if err != nil {
		return runInfo{}, err
	}
	defer pairs.Close()
	if err := o.start(s); err != nil {
		return runInfo{}, err
	}
	source, prompts := pairsSource(pairs), filepath.Join(out, promptsFile)
	imagePrompt, err := pairs.ImagePrompt(ctx)
	if err != nil {
		return runInfo{}, err
	}
	if err := o.writePrompts(ctx, s, prompts, data.Text{Text: s.domain.TextPrompt}, imagePrompt, source); err != nil {
		return runInfo{}, err
	}
	info := runInfo{
		Versions: readVersions(), Device: s.networks.Backend.Description(), Networks: maps.Clone(s.networks.Hashes),
		Pairs: source, PairsSHA256: pairs.SHA256(), Parameters: m.Parameters(),
	}
	if err := o.trainMapper(ctx, s, run, m, pairs, out, &info); err != nil {
		return runInfo{}, err
	}
	return info, writeJSON(filepath.Join(out, runInfoFile), info)
}

// trainMapper trains with a progress bar and notes in info what came of it.
func (o *globalOptions) trainMapper(ctx context.Context, s *session, run configs.Run, m mapper.Config, pairs *data.Pairs, out string, info *runInfo) error {
	began, steps := time.Now(), run.Train.Steps()
	bar := o.newProgress("Training", steps)
	defer bar.Done()
	training := train.Training{
		Config: run.Train, Mapper: m, Seed: run.Seed, Networks: s.networks, Pairs: pairs, Folder: out,
		Progress: func(step int, stage train.Stage, values losses.Values) {
			bar.Set(step, fmt.Sprintf("%s (stage %s)", lossNote(stage.Losses, values), stage.Name))
		},
	}
	result, err := training.Run(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		const again = "the same command keeps the pairs and trains again"
		if err.Error() != cause.Error() { // more went wrong, or the mapper was not saved
			return fault.Hint(err, again)
		}
		last := filepath.Join(out, lastMapper)
		return fault.Hint(fmt.Errorf("%d of %d steps are done; their mapper is in %s", result.Steps, steps, last),
			"%s; `illustrator generate --mapper %s --run %s` draws with the mapper so far", again, last, out)
	}
	info.Steps, info.Seconds, info.Validation = result.Steps, time.Since(began).Seconds(), result.Validation
	return err
}

// lossNote is a few words on the losses that have a weight, for the progress bar.
func lossNote(w losses.Weights, v losses.Values) string {
	var notes []string
	for _, l := range []struct {
		name          string
		weight, value float64
	}{{"l1", w.L1, v.L1}, {"semantic", w.Semantic, v.Semantic}, {"reg", w.Regularization, v.Regularization}} {
		if l.weight != 0 {
			notes = append(notes, fmt.Sprintf("%s %.3f", l.name, l.value))
		}
	}
	return strings.Join(notes, " ")
}
