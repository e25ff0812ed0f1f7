package main

import (
	"fmt"
	"io"
	"strings"

	"illustrator/cmd/terminal"
	"illustrator/internal/machine"
	"illustrator/train"
	"illustrator/train/runs"
)

// printPlan prints what a run would do: a table in comments, then all settings, which together are a configuration that
// can be stored and used.
func printPlan(w io.Writer, j *runs.Job, p runs.Plan) error {
	var rows [][]string
	line := func(name, format string, args ...any) {
		rows = append(rows, []string{"# " + name, fmt.Sprintf(format, args...)})
	}
	line("folder", "%s: %s", j.Folder, p.State)
	line("pairs", "%d to train on, %d to validate; %s", p.Rows, p.Config.Validation.Rows, p.Source)
	line("mapper", "%d parameters, trained", p.Mapper.Parameters())
	line("generator", "%d parameters, frozen", j.Networks.Generator.Shapes().Elements())
	line("clip", "%d parameters, frozen", j.Networks.CLIP.Shapes().Elements())
	perStep := p.Config.Batch * p.Config.Optimizer.Accumulate
	for i, stage := range p.Config.Stages {
		steps := stage.Schedule.Steps
		line(fmt.Sprintf("stage %d, %s", i, stage.Name), "%d steps of %d pairs: %.2f epochs",
			steps, perStep, float64(steps)*float64(perStep)/float64(p.Rows))
	}
	line("steps", "%d", p.Config.Steps())
	m := p.Memory
	line("memory", "about %s: weights and optimizer %s, programs %s, a batch's pictures and gradients %s",
		machine.ByteSize(m.Total()), machine.ByteSize(m.Weights), machine.ByteSize(m.Programs), machine.ByteSize(m.Batch))
	line("on GPUs", "%s", onGPUs(p))
	line("checkpoint", "%s each, %d kept and the best", machine.ByteSize(m.Checkpoint), p.Config.Checkpoint.Keep)
	if err := terminal.PrintTable(w, rows); err != nil {
		return err
	}
	text, err := j.Run.YAML()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// onGPUs says what memory the run takes on each GPU, and the batch that usual ones have room for.
func onGPUs(p runs.Plan) string {
	const gigabyte = 1_000_000_000
	each := "one"
	switch {
	case p.Config.Devices == train.AllDevices:
		each = "one, less on each of several"
	case p.Devices > 1:
		each = fmt.Sprintf("each of %d", p.Devices)
	}
	batches := make([]string, 0, 3)
	for _, size := range []int64{24, 40, 80} {
		batches = append(batches, fmt.Sprintf("%d GB: %d", size, p.Devices*p.OnGPU.LargestBatch(size*gigabyte)))
	}
	return fmt.Sprintf("about %s on %s, as compiled for an H100, not measured; largest train.batch with %s",
		machine.ByteSize(p.OnGPU.Total()), each, strings.Join(batches, ", "))
}
