package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"syscall"
	"time"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/train"
)

// trainRun brings the run in folder t.out to its end: pairs, prompts, mapper. What is there already is kept.
func (o *globalOptions) trainRun(ctx context.Context, s *session, run configs.Run, t trainOptions) (train.Info, error) {
	if info, err := s.finishedRun(t.out, run, t); err != nil {
		return train.Info{}, err
	} else if info != nil {
		return *info, nil
	}
	m, err := s.mapperOf(run)
	if err != nil {
		return train.Info{}, err
	}
	need := run.Train.Batch + 1
	if t.validationPairs == "" {
		need += run.Train.Validation.Rows
	}
	pairs, err := o.pairsOf(ctx, s, run, t.pairs, t.out, need)
	if err != nil {
		return train.Info{}, err
	}
	defer pairs.Close()
	validation, err := o.validationPairs(ctx, s, run, pairs, t.validationPairs)
	if err != nil {
		return train.Info{}, err
	}
	if validation != nil {
		defer validation.Close()
	}
	lock, err := checkpoints.LockFolder(t.out)
	if err != nil {
		return train.Info{}, err
	}
	defer lock.Release()
	o.warnUnlocked(t.out, lock.Held)
	if err := o.start(s); err != nil {
		return train.Info{}, err
	}
	if err := o.promptsOf(ctx, s, pairs, train.Folder(t.out)); err != nil {
		return train.Info{}, err
	}
	training := &train.Training{Config: run.Train, Mapper: m, Seed: run.Seed, Networks: s.networks, Pairs: pairs, Folder: train.Folder(t.out)}
	if validation != nil { // a nil *pairs.Set is no nil interface
		training.ValidationPairs = validation
	}
	training.Config = run.Train.Resolved(training.TrainRows())
	keeper, err := newRunKeeper(s, training, pairs, validation)
	if err == nil {
		err = keeper.startFrom(run.Init, training)
	}
	if err != nil {
		return train.Info{}, err
	}
	err = o.trainMapper(ctx, s, training, keeper)
	return keeper.info, err
}

// mapperOf returns the run's mapper for the session's networks.
func (s *session) mapperOf(run configs.Run) (mapper.Config, error) {
	m := run.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, s.networks.CLIP.ProjectionDim, s.networks.Generator.StyleDim
	return m, m.Validate()
}

// promptsOf computes the run's prompts where they are missing.
func (o *globalOptions) promptsOf(ctx context.Context, s *session, pairs *pairs.Set, folder train.Folder) error {
	if _, err := os.Stat(folder.Prompts()); err == nil {
		return nil
	}
	image, err := pairs.ImagePrompt(ctx)
	if err != nil {
		return err
	}
	return o.writePrompts(ctx, s, folder.Prompts(), texts.Text{Text: s.domain.TextPrompt}, image, pairsSource(pairs))
}

// trainMapper trains with a progress bar, and keeps run.json and log.txt.
func (o *globalOptions) trainMapper(ctx context.Context, s *session, training *train.Training, keeper *runKeeper) error {
	log, closeLog, err := o.logInto(training.Folder.Log())
	if err != nil {
		return err
	}
	defer closeLog()
	training.Log = log
	if len(training.Config.Validation.Texts) > 0 {
		if training.Sample, err = o.newSampler(ctx, s, training); err != nil {
			return err
		}
	}
	bar := o.NewProgress("Training", keeper.info.Steps)
	defer bar.Done()
	training.Progress = func(step int, stage train.Stage, values losses.Values) {
		bar.Set(step, fmt.Sprintf("%s (stage %s)", lossNote(stage.Losses, values), stage.Name))
	}
	training.Saved = keeper.saved
	if err := keeper.begin(); err != nil {
		return err
	}
	log.Debug("training begins", "steps", keeper.info.Steps, "parameters", keeper.info.Parameters, "pairs", keeper.info.Pairs, "device", keeper.info.Device)
	state, err := training.Run(ctx)
	if noted := keeper.end(ctx, state, err); err == nil {
		err = noted
	} else if noted != nil {
		log.Warn(fmt.Sprintf("%s does not say how the training ended: %v", training.Folder.Info(), noted))
	}
	log.Debug("training ends", "status", keeper.info.Status, "step", state.Step, "seconds", int(keeper.info.Seconds))
	return explainTraining(ctx, err, state, keeper.info, training.Folder)
}

// explainTraining says how to go on after a training that did not come to its end.
func explainTraining(ctx context.Context, err error, state train.State, info train.Info, folder train.Folder) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Hint(err, "free some space: what is saved is whole, and the same command goes on after step %d", info.Step)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		const again = "the same command goes on"
		if err.Error() != cause.Error() { // more went wrong, or the checkpoint was not saved
			return fault.Hint(err, again)
		}
		if state.Step == 0 {
			return fault.Hint(fmt.Errorf("no step of %d is done", info.Steps), again)
		}
		return fault.Hint(fmt.Errorf("%d of %d steps are done and saved", state.Step, info.Steps),
			"%s after step %d; `illustrator generate --mapper %s --run %s` draws with the mapper so far", again, state.Step, folder.LastMapper(), folder)
	}
	var bad *train.NonFiniteError
	if errors.As(err, &bad) {
		return fault.Hint(err, "lower learning_rate, set train.optimizer.clip_norm, or leave such steps out with train.on_nan=skip, in a new run")
	}
	return err
}

// runKeeper keeps run.json.
type runKeeper struct {
	folder  train.Folder
	info    train.Info
	began   time.Time
	earlier float64 // seconds of work before this process
}

func newRunKeeper(s *session, training *train.Training, pairs, validation *pairs.Set) (*runKeeper, error) {
	info, err := training.Folder.ReadInfo()
	if err != nil {
		return nil, err
	}
	if info == nil {
		info = &train.Info{Started: time.Now().UTC()}
	} else if err := samePairs(training.Folder, info, pairs, validation); err != nil {
		return nil, err
	} else if err := s.sameNetworks(training.Folder, info); err != nil {
		return nil, err
	}
	info.Arguments, info.Versions, info.Device = os.Args[1:], version.Read().Fields(), s.networks.Backend.Description()
	info.Host, _ = os.Hostname()
	info.PID, info.Error = os.Getpid(), ""
	info.Networks = maps.Clone(s.networks.Hashes)
	info.Pairs, info.PairsSHA256 = pairsSource(pairs), pairs.SHA256()
	if validation != nil {
		info.ValidationPairsSHA256 = validation.SHA256()
	}
	info.Parameters, info.Steps = training.Mapper.Parameters(), training.Config.Steps()
	return &runKeeper{folder: training.Folder, info: *info, earlier: info.Seconds}, nil
}

// startFrom reads the mapper that the training starts from, "" for fresh weights. A run that goes on must have started
// from the same.
func (k *runKeeper) startFrom(init string, training *train.Training) error {
	if init == "" {
		return nil
	}
	folder, err := checkpoints.Open(init)
	if err != nil {
		return fault.Hint(fmt.Errorf("init: %w", err), "init must be the folder of a mapper, such as mapper-last in that of a run")
	}
	var cfg mapper.Config
	if err := folder.Config(&cfg); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if cfg != training.Mapper {
		return fault.Usage(fmt.Errorf("init: the mapper in %q is %+v, the run's %+v", init, cfg, training.Mapper), "name a mapper of the run's architecture and widths, or change the run's")
	}
	if sum := folder.SHA256(); k.info.InitSHA256 == "" && k.info.Step == 0 {
		k.info.InitSHA256 = sum
	} else if k.info.InitSHA256 != sum {
		return fault.Usage(fmt.Errorf("%s holds a run that started from another mapper than that in %q now", k.folder, init), "give another --out, or remove that folder")
	}
	training.Init, err = folder.Weights()
	return err
}

// begin says that the run is being worked on.
func (k *runKeeper) begin() error {
	k.began = time.Now()
	return k.write(train.Running)
}

// saved notes a checkpoint.
func (k *runKeeper) saved(state train.State) error {
	k.info.Step, k.info.Best = state.Step, state.Best
	return k.write(train.Running)
}

// end notes how the training ended.
func (k *runKeeper) end(ctx context.Context, state train.State, err error) error {
	k.info.Best = state.Best
	switch {
	case err == nil:
		k.info.Step = state.Step
		return k.write(train.Finished)
	case context.Cause(ctx) != nil:
		return k.write(train.Interrupted)
	}
	k.info.Error = err.Error()
	return k.write(train.Failed)
}

func (k *runKeeper) write(status string) error {
	k.info.Status, k.info.Updated = status, time.Now().UTC()
	k.info.Seconds = k.earlier + time.Since(k.began).Seconds()
	return jsonfile.Write(k.folder.Info(), k.info)
}

// logInto returns a logger that writes into a file too, with times and more of what is going on.
func (o *globalOptions) logInto(path string) (log *slog.Logger, done func(), err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, nil, err
	}
	file := slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})
	return slog.New(slog.NewMultiHandler(o.log.Handler(), file)), func() { f.Close() }, nil
}
