package illustrator

import (
	"context"
	"log/slog"

	"github.com/gomlx/compute"

	"illustrator/configs"
	"illustrator/models/host"
	"illustrator/train"
	"illustrator/train/runs"
)

// Training is a run to train a mapper by.
type Training struct {
	// Config names an embedded run, such as "lorelei", or a YAML file; Set changes its values, such as
	// "train.batch=64".
	Config string
	Set    []string
	// Folder gets the run: its mapper, prompts, metrics and log. Training the same folder again resumes it.
	Folder string
	// Pairs is the folder of a set of pairs; "" samples them into Folder.
	Pairs string
	// Plugin is the XLA plugin, as in Options.
	Plugin string
	// Log, which may be nil, gets the log lines; Progress, which may be nil, is called as the stages pass.
	Log      *slog.Logger
	Progress func(stage string, done, total int)
}

// Train samples pairs, computes the prompts and trains the mapper. Open draws with it where Options.Run is the folder.
// When ctx ends, the state is saved first.
func Train(ctx context.Context, t Training) error {
	run, err := configs.OpenRun(t.Config, t.Set)
	if err != nil {
		return err
	}
	domain, networks, err := configs.OpenNetworks(run.Domain)
	if err != nil {
		return err
	}
	job := runs.Job{
		Env: t.env(), Domain: domain, Networks: networks, Run: run, Folder: train.Folder(t.Folder), Pairs: t.Pairs,
	}
	defer func() {
		if networks.Backend != nil {
			networks.Backend.Finalize()
		}
	}()
	_, err = job.Train(ctx)
	return err
}

func (t Training) env() host.Env {
	return host.Env{
		Log:      logTo(t.Log),
		Progress: func(stage string, total int) host.Progress { return &progress{t.Progress, stage, total} },
		Backend:  func(devices int) (compute.Backend, error) { return openDevices(t.Plugin, devices, t.Log) },
	}
}

// progress passes a stage's progress on.
type progress struct {
	to    func(stage string, done, total int)
	stage string
	total int
}

func (p *progress) Set(done int, _ string) {
	if p.to != nil {
		p.to(p.stage, done, p.total)
	}
}

func (p *progress) Done() {}
