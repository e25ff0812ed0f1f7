package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/losses"
	"illustrator/models/host"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// Job is a run with all that works on it.
type Job struct {
	Env      host.Env
	Domain   *configs.Domain
	Networks *pipeline.Networks
	Run      configs.Run
	Folder   train.Folder
	// Pairs is the folder of pairs, "" for those in the run's own folder, which are sampled where they are missing.
	// ValidationPairs is that of pairs to validate on, "" for the last rows of Pairs.
	Pairs, ValidationPairs string
	// Arguments are those of the command that works on the run, for run.json.
	Arguments []string
}

// Train brings the run to its end: pairs, prompts, mapper. Completed parts are kept.
func (j *Job) Train(ctx context.Context) (train.Info, error) {
	if info, err := j.Finished(); err != nil {
		return train.Info{}, err
	} else if info != nil {
		return *info, nil
	}
	m, err := j.mapper()
	if err != nil {
		return train.Info{}, err
	}
	init, err := openInit(j.Run.Init, m)
	if err != nil {
		return train.Info{}, err
	}
	j.Env.Devices = int(j.Run.Train.Devices)
	set, err := j.openPairs(ctx)
	if err != nil {
		return train.Info{}, err
	}
	defer set.Close()
	validation, err := j.openValidation(ctx, set.Source, set.SeedRanges())
	if err != nil {
		return train.Info{}, err
	}
	if validation != nil {
		defer validation.Close()
	}
	return j.trainOn(ctx, m, init, set, validation)
}

// trainOn trains a mapper on a set of pairs, from init unless that is nil. validation may be nil.
func (j *Job) trainOn(ctx context.Context, m mapper.Config, init *checkpoints.Folder,
	set, validation *pairs.Set) (train.Info, error) {
	lock, err := files.LockFolder(string(j.Folder))
	if err != nil {
		return train.Info{}, err
	}
	defer lock.Release()
	lock.Warn(j.Env.Log)
	if err := j.Env.Start(j.Networks); err != nil {
		return train.Info{}, err
	}
	if err := j.makePrompts(ctx, set); err != nil {
		return train.Info{}, err
	}
	training := &train.Training{
		Config: j.Run.Train, Mapper: m, Seed: j.Run.Seed, Networks: j.Networks, Pairs: set, Folder: j.Folder,
	}
	if validation != nil { // a nil *pairs.Set makes an interface that is not nil
		training.ValidationPairs = validation
	}
	training.Config = j.Run.Train.Resolved(training.TrainRows())
	keeper, err := j.newKeeper(training, set, validation)
	if err == nil {
		err = keeper.startFrom(init, training)
	}
	if err != nil {
		return train.Info{}, err
	}
	err = j.train(ctx, training, keeper)
	return keeper.info, err
}

// mapper returns the run's mapper for the job's networks.
func (j *Job) mapper() (mapper.Config, error) { return mapperOf(j.Run, j.Networks) }

// mapperOf returns the mapper that a run trains for networks.
func mapperOf(run configs.Run, n *pipeline.Networks) (mapper.Config, error) {
	m := run.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, n.CLIP.ProjectionDim, n.Generator.StyleDim
	return m, m.Validate()
}

// train trains the mapper and keeps run.json and log.txt.
func (j *Job) train(ctx context.Context, training *train.Training, keeper *keeper) error {
	log, closeLog, err := logInto(j.Env.Log, training.Folder.Log())
	if err != nil {
		return err
	}
	defer closeLog()
	training.Log = log
	if len(training.Config.Validation.Texts) > 0 {
		if training.Sample, err = j.newSampler(ctx, training); err != nil {
			return err
		}
	}
	training.Saved = keeper.saved
	if err := keeper.begin(); err != nil {
		return err
	}
	at := &keeper.info
	log.Debug("training begins", "steps", at.Steps, "parameters", at.Parameters, "pairs", at.Pairs, "device", at.Device)
	state, err := j.show(ctx, training, at)
	if noted := keeper.end(ctx, state, err); err == nil {
		err = noted
	} else if noted != nil {
		log.Warn(fmt.Sprintf("%s does not say how the training ended: %v", training.Folder.Info(), noted))
	}
	log.Debug("training ends", "status", at.Status, "step", state.Step, "seconds", int(at.Seconds))
	return explainTraining(ctx, err, state, keeper.info, training.Folder)
}

// show runs the training and shows its progress. at says where it stands.
func (j *Job) show(ctx context.Context, training *train.Training, at *train.Info) (train.State, error) {
	parts := trainingParts(j.Networks, training.Config, at.Parameters)
	if err := j.probe(ctx, training, parts, at.Step); err != nil {
		return train.State{}, err
	}
	bar := j.Env.Stage("Training", parts...)
	defer bar.Done()
	training.Progress = func(step int, stage train.Stage, values losses.Values) {
		bar.Set(step, fmt.Sprintf("%s (stage %s)", LossNote(stage.Losses, values), stage.Name))
	}
	return training.Run(ctx)
}

// explainTraining gives the error of a training that did not finish its hint.
func explainTraining(ctx context.Context, err error, state train.State, info train.Info, folder train.Folder) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Hint(
			err,
			"free some space: what is saved is whole, and the same command resumes after step %d",
			info.Step,
		)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		if err.Error() != cause.Error() { // more went wrong, or the checkpoint was not saved
			return fault.Hint(err, "the same command resumes")
		}
		return &Interrupted{Step: state.Step, Steps: info.Steps, Folder: folder, Cause: cause}
	}
	var bad *train.NonFiniteError
	if errors.As(err, &bad) {
		return fault.Hint(
			err,
			"lower learning_rate, set train.optimizer.clip_norm, or leave such steps out with train.on_nan=skip, in a new run",
		)
	}
	return err
}

// logInto returns a logger that writes into a file too, with times and debug lines.
func logInto(console *slog.Logger, path string) (log *slog.Logger, done func(), err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, nil, err
	}
	file := slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})
	return slog.New(slog.NewMultiHandler(console.Handler(), file)), func() { f.Close() }, nil
}

// LossNote prints the losses that have a weight in a few words.
func LossNote(w losses.Weights, v losses.Values) string {
	if w.Flow != 0 { // which has no other beside it
		return fmt.Sprintf("flow %.3f", v.Total/w.Flow)
	}
	var notes []string
	for _, l := range losses.All {
		if l.Weight(w) != 0 {
			notes = append(notes, fmt.Sprintf("%s %.3f", l.Name, l.Value(v)))
		}
	}
	return strings.Join(notes, " ")
}
