package runs

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"

	"github.com/gomlx/compute"

	"illustrator/internal/fault"
	"illustrator/internal/machine"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/train"
	"illustrator/train/bench"
)

// BatchWork is a part of a run that computes in batches.
type BatchWork struct {
	bench.Case        // without a batch
	Key        string // of the setting: "train.batch"
	Now        string // its value
	least      int
	most       int
	estimate   func(batch int) uint64
}

// BatchWorks returns the parts of the run that compute in batches, of most rows: sampling, and training.
func (j *Job) BatchWorks(most int) ([]BatchWork, error) {
	run := j.Run
	if run.Train.Devices == train.AllDevices {
		return nil, fault.Usage(errors.New("train.devices is all"),
			"set the number of devices to find a batch for, such as train.devices=2")
	}
	m, err := j.mapper()
	if err != nil {
		return nil, err
	}
	stages := run.Train.Stages
	stage := stages[max(0, slices.IndexFunc(stages, func(s train.Stage) bool { return s.Losses.Semantic != 0 }))]
	sampling, training := j.samplingCase(m), j.trainingCase(m, "training", stage)
	estimate := func(batch int) uint64 {
		c := run.Train
		c.Batch = batch
		return uint64(train.EstimateMemory(c, m, j.Networks).Total())
	}
	const degenerate = 4 // below it BatchNorm is: see train.Config
	j.Networks.Pictures = run.Pairs.Batch
	return []BatchWork{
		{sampling, "pairs.batch", fmt.Sprint(j.Networks.PictureBatch()), 1, most, nil},
		{
			training,
			"train.batch",
			fmt.Sprint(run.Train.Batch),
			degenerate,
			min(most, run.Pairs.Rows-run.Train.Validation.Rows),
			estimate,
		},
	}, nil
}

// samplingCase is the sampling of pairs, without a batch.
func (j *Job) samplingCase(m mapper.Config) bench.Case {
	return bench.Case{
		Name: "sampling", About: "sampling pairs", Task: bench.Sampling, NoiseMode: j.Run.Pairs.NoiseMode,
		Precision: j.Run.Pairs.Precision, Open: j.openNetworks, Mapper: m,
	}
}

// trainingCase is a step of a stage, without a batch.
func (j *Job) trainingCase(m mapper.Config, name string, stage train.Stage) bench.Case {
	c := j.Run.Train
	c.Optimizer.Accumulate = 1
	return bench.Case{
		Name: name, About: "training step, stage " + stage.Name, Task: bench.Training, NoiseMode: c.NoiseMode,
		Devices: int(c.Devices), Precision: c.Precision, Losses: stage.Losses, Optimizer: c.Optimizer,
		Open: j.openNetworks, Mapper: m,
	}
}

func (j *Job) openNetworks(backend compute.Backend, _ pipeline.Precision) (*pipeline.Networks, error) {
	return pipeline.Open(backend, j.Domain.Locations())
}

// At returns the case with a batch, whose measurements take a sizeable part of a second.
func (w BatchWork) At(batch int) bench.Case {
	c := w.Case
	c.Batch, c.Repeat = batch, max(1, 256/batch)
	return c
}

// BatchReport holds the batches that were measured, and the best.
type BatchReport struct {
	Versions version.Info                 `json:"versions"`
	Cores    int                          `json:"cores"`
	Load     string                       `json:"load_average"`
	Tried    map[string][]bench.Candidate `json:"tried"`       // by the setting's name
	Best     map[string]int               `json:"recommended"` // 0 where none could be measured
}

// BatchSearch says how the best batches are searched.
type BatchSearch struct {
	Env    host.Env
	Rounds int
	OnCPU  bool // the device's memory is the machine's
	// Worker returns the command line of a process that calls bench.Serve for a case.
	Worker func(bench.Case) []string
}

// Find searches the best batch of each work. The report holds what was measured before an error.
func (b BatchSearch) Find(ctx context.Context, works []BatchWork) (BatchReport, error) {
	report := BatchReport{
		Versions: version.Read(), Cores: runtime.NumCPU(), Load: machine.LoadAverage(),
		Tried: map[string][]bench.Candidate{}, Best: map[string]int{},
	}
	bench.WarnBusy(b.Env.Log, report.Load)
	for _, w := range works {
		search := bench.Search{Least: w.least, Most: w.most, Multiple: max(1, w.Devices), Estimate: w.estimate}
		if b.OnCPU { // another device's memory is not this machine's
			search.Memory = machine.ReadMemory().Available
		}
		search.Measure = func(batch int) (bench.Result, error) {
			b.Env.Log.Info(fmt.Sprintf("measuring: %s, batch %d", w.About, batch))
			c := w.At(batch)
			result, err := bench.Measure(ctx, c, b.Worker(c), b.Rounds)
			if !b.OnCPU {
				result.PeakBytes = 0
			}
			return result, err
		}
		tried, best, err := search.Run(ctx)
		if len(tried) > 0 {
			report.Tried[w.Key], report.Best[w.Key] = tried, best
		}
		if err != nil {
			return report, err
		}
	}
	return report, report.failure(works)
}

// failure returns an error if a work could not be measured with any batch.
func (r BatchReport) failure(works []BatchWork) error {
	for _, w := range works {
		if tried := r.Tried[w.Key]; r.Best[w.Key] == 0 && len(tried) > 0 {
			return fmt.Errorf("%s could not be measured with any batch: %s", w.About, tried[0].Failure)
		}
	}
	return nil
}

// Table shows the batches that were measured, below a row of titles.
func (r BatchReport) Table(works []BatchWork) [][]string {
	rows := [][]string{{"work", "batch", "s/step", "samples/s", "peak, GiB", "compile, s"}}
	for _, work := range works {
		about := work.About
		for _, c := range r.Tried[work.Key] {
			row := []string{about, strconv.Itoa(c.Batch), c.Failure}
			if c.Failure == "" {
				row = append(row[:2], fmt.Sprintf("%.4g", c.StepSeconds), fmt.Sprintf("%.4g", c.SamplesPerSecond),
					bench.Gibibytes(c.PeakBytes), fmt.Sprintf("%.1f", c.CompileSeconds))
			}
			rows = append(rows, row)
			about = ""
		}
	}
	return rows
}
