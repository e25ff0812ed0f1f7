package runs

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"illustrator/internal/machine"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/train/bench"
)

// Cost estimates the time of work on several devices from rates measured on this machine.
type Cost struct {
	Versions version.Info `json:"versions"`
	Cores    int          `json:"cores"`
	Load     string       `json:"load_average"`
	Rates    []Rate       `json:"rates"`
	Devices  []int        `json:"devices"`
	Work     []WorkCost   `json:"work"`
}

// Rate is the measured speed of a part of a run.
type Rate struct {
	Work             string  `json:"work"`
	Batch            int     `json:"batch"`
	StepSeconds      float64 `json:"step_seconds"`
	SamplesPerSecond float64 `json:"samples_per_second"`
}

// WorkCost is the time of some work on each of Cost.Devices, in seconds.
type WorkCost struct {
	Work    string    `json:"work"`
	Seconds []float64 `json:"seconds"`
}

// CostWorks returns the parts of the run whose speed its cost depends on, at the run's own batches: sampling, and each
// stage of the training.
func (j *Job) CostWorks() ([]bench.Case, error) {
	m, err := j.mapper()
	if err != nil {
		return nil, err
	}
	j.Networks.Pictures = j.Run.Pairs.Batch
	works := []bench.Case{BatchWork{Case: j.samplingCase(m)}.At(j.Networks.PictureBatch())}
	for i, stage := range j.Run.Train.Stages {
		c := j.trainingCase(m, fmt.Sprintf("stage%d", i), stage)
		works = append(works, BatchWork{Case: c}.At(j.Run.Train.Batch))
	}
	return works, nil
}

// Amounts say how much work is to be done.
type Amounts struct {
	Pairs     int
	Trainings int // of the run, such as a study's; each takes the run's own devices
	Devices   []int
}

// Cost measures works, those of CostWorks, and returns what the amounts take. worker returns the command line of a
// process that calls bench.Serve for a case. Compiling, evaluation and the file system are not counted.
func (j *Job) Cost(ctx context.Context, env host.Env, works []bench.Case, rounds int, of Amounts,
	worker func(bench.Case) []string) (Cost, error) {
	cost := Cost{Versions: version.Read(), Cores: runtime.NumCPU(), Load: machine.LoadAverage(), Devices: of.Devices}
	bench.WarnBusy(env.Log, cost.Load)
	for _, c := range works {
		env.Log.Info(fmt.Sprintf("measuring: %s, batch %d", c.About, c.Batch))
		r, err := bench.Measure(ctx, c, worker(c), rounds)
		if err != nil {
			return cost, fmt.Errorf("%s: %w", c.About, err)
		}
		cost.Rates = append(cost.Rates, Rate{c.About, c.Batch, r.StepSeconds, r.SamplesPerSecond})
	}
	cost.Work = append(cost.Work, shared(fmt.Sprintf("%d pairs", of.Pairs),
		float64(of.Pairs)/cost.Rates[0].SamplesPerSecond, of.Pairs, of.Devices))
	training := 0.0
	config := j.Run.Train.Resolved(of.Pairs - j.Run.Train.Validation.Rows)
	for i, stage := range config.Stages {
		training += float64(stage.Schedule.Steps*config.Optimizer.Accumulate) * cost.Rates[1+i].StepSeconds
	}
	cost.Work = append(cost.Work, shared(fmt.Sprintf("%d trainings of %d steps", of.Trainings, config.Steps()),
		float64(of.Trainings)*training, of.Trainings, of.Devices))
	return cost, nil
}

// shared returns the time of work that takes seconds on one device, shared among devices in units.
func shared(work string, seconds float64, units int, devices []int) WorkCost {
	c := WorkCost{Work: work}
	for _, n := range devices {
		rounds := (units + n - 1) / n // the device that gets the most units ends last
		c.Seconds = append(c.Seconds, seconds/float64(units)*float64(rounds))
	}
	return c
}

// duration returns the time on the i-th number of devices, rounded as people read it.
func (c WorkCost) duration(i int) time.Duration {
	d := time.Duration(c.Seconds[i] * float64(time.Second))
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute)
	case d >= time.Minute:
		return d.Round(time.Second)
	}
	return d.Round(100 * time.Millisecond)
}

// RateTable shows the rates, below a row of titles.
func (c Cost) RateTable() [][]string {
	rates := [][]string{{"measured on one device", "batch", "s/step", "samples/s"}}
	for _, r := range c.Rates {
		rates = append(rates, []string{r.Work, strconv.Itoa(r.Batch), fmt.Sprintf("%.4g", r.StepSeconds),
			fmt.Sprintf("%.4g", r.SamplesPerSecond)})
	}
	return rates
}

// WorkTable shows the time of the work on each number of devices, below a row of titles.
func (c Cost) WorkTable() [][]string {
	costs := [][]string{{"devices"}}
	for _, work := range c.Work {
		costs[0] = append(costs[0], work.Work)
	}
	for i, n := range c.Devices {
		row := []string{strconv.Itoa(n)}
		for _, work := range c.Work {
			row = append(row, work.duration(i).String())
		}
		costs = append(costs, row)
	}
	return costs
}
