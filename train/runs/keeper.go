package runs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"time"

	"illustrator/checkpoints"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
	"illustrator/models/mapper"
	"illustrator/train"
)

// keeper keeps run.json.
type keeper struct {
	folder  train.Folder
	info    train.Info
	began   time.Time
	earlier float64 // seconds of work before this process
}

func (j *Job) newKeeper(training *train.Training, pairs, validation *pairs.Set) (*keeper, error) {
	info, err := training.Folder.ReadInfo()
	if err != nil {
		return nil, err
	}
	if info == nil {
		info = &train.Info{Started: time.Now().UTC()}
	} else if err := samePairs(training.Folder, info, pairs, validation); err != nil {
		return nil, err
	} else if err := j.sameNetworks(info); err != nil {
		return nil, err
	}
	info.Arguments, info.Versions, info.Device = j.Arguments, version.Read().Fields(), j.Networks.Backend.Description()
	info.Host, _ = os.Hostname()
	info.PID, info.Error = os.Getpid(), ""
	info.Networks = maps.Clone(j.Networks.Hashes)
	info.Pairs, info.PairsSHA256 = pairsSource(pairs), pairs.SHA256()
	if validation != nil {
		info.ValidationPairsSHA256 = validation.SHA256()
	}
	info.Parameters, info.Steps = training.Mapper.Parameters(), training.Config.Steps()
	return &keeper{folder: training.Folder, info: *info, earlier: info.Seconds}, nil
}

// openInit opens the mapper that the run starts from; nil without one. Its tensors are those of the mapper m.
func openInit(init string, m mapper.Config) (*checkpoints.Folder, error) {
	if init == "" {
		return nil, nil
	}
	folder, err := checkpoints.Open(init)
	if err != nil {
		if info, statErr := os.Stat(init); statErr == nil && !info.IsDir() {
			return nil, &Error{Code: MapperFile, Text: fmt.Sprintf("init: %q is a file", init), Folder: init}
		}
		return nil, fault.Hint(fmt.Errorf("init: %w", err),
			"init must be the folder of a mapper, such as mapper-last in that of a run")
	}
	var cfg mapper.Config
	if err := folder.Config(&cfg); err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	if other := cfg.OtherWeights(m); other != "" {
		return nil, fault.Usage(fmt.Errorf("init: the mapper in %q has %s as the run's", init, other),
			"name a mapper of the run's architecture and widths, or change the run's")
	}
	w, err := folder.Weights()
	if err == nil {
		err = w.Check(m.Shapes())
	}
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	return folder, nil
}

// startFrom has the training start from the mapper in folder, which openInit has opened. A run that resumes must have
// started from the same.
func (k *keeper) startFrom(folder *checkpoints.Folder, training *train.Training) (err error) {
	if folder == nil {
		return nil
	}
	if sum := folder.SHA256(); k.info.InitSHA256 == "" && k.info.Step == 0 {
		k.info.InitSHA256 = sum
	} else if k.info.InitSHA256 != sum {
		text := fmt.Sprintf("%s holds a run that started from another mapper than that of init now", k.folder)
		return &Error{Code: Taken, Text: text}
	}
	training.Init, err = folder.Weights()
	return err
}

// begin says that the run is being worked on.
func (k *keeper) begin() error {
	k.began = time.Now()
	return k.write(train.Running)
}

// saved notes a checkpoint.
func (k *keeper) saved(state train.State) error {
	k.info.Step, k.info.Best = state.Step, state.Best
	return k.write(train.Running)
}

// end notes how the training ended.
func (k *keeper) end(ctx context.Context, state train.State, err error) error {
	if state.Best != nil { // a training that failed before it read its checkpoint has none
		k.info.Best = state.Best
	}
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

func (k *keeper) write(status string) error {
	k.info.Status, k.info.Updated = status, time.Now().UTC()
	k.info.Seconds = k.earlier + time.Since(k.began).Seconds()
	return jsonfile.Write(k.folder.Info(), k.info)
}
