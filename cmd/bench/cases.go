package main

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"

	"illustrator/cmd/bench/compare"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/train/bench"
)

// benchCases are all cases, from the cheapest on.
func benchCases(b benchOptions) []bench.Case {
	paper := configs.Paper()
	release, l1 := paper.Train.Stages[0].Losses, paper.Train.Stages[0].Losses
	l1.L1, l1.Semantic, l1.Regularization = 1, 0, 0
	lorelei := bench.Case{Batch: 32, Open: openLorelei, Mapper: paper.Mapper, Optimizer: paper.Train.Optimizer}
	lorelei.Mapper.Width = 128 // as in its run
	full := bench.Case{Batch: b.fullBatch, Open: compare.FullSize, Mapper: paper.Mapper, Optimizer: paper.Train.Optimizer}
	named := func(c bench.Case, name, about string, repeat int) bench.Case {
		c.Name, c.About, c.Repeat, c.Losses, c.Task = name, about, repeat*b.repeat, release, bench.Training
		return c
	}
	cases := []bench.Case{
		named(lorelei, "lorelei-l1", "Lorelei 64 px: training step, L1 alone", 50),
		named(lorelei, "lorelei-sampling", "Lorelei 64 px: sampling", 4),
		named(lorelei, "lorelei-pairs", "Lorelei 64 px: pairs, from z to synced files", 1),
		named(lorelei, "lorelei-step", "Lorelei 64 px: training step, all losses", 2),
		named(full, "full-sampling", "full size 256 px: sampling", 1),
		named(full, "full-step", "full size 256 px: training step, all losses", 1),
	}
	cases[0].Losses = l1
	cases[1].Task, cases[4].Task = bench.Sampling, bench.Sampling
	cases[2].Task, cases[2].Batch = bench.Pairs, 512
	for _, task := range []bench.Task{bench.Checkpoint, bench.Resume} {
		cases = append(cases, named(lorelei, "paper-"+string(task),
			fmt.Sprintf("state of the paper's mapper, 27 million parameters: %s", task), 1))
		state := &cases[len(cases)-1]
		state.Task, state.Losses, state.Mapper, state.Batch = task, l1, paper.Mapper, 8
	}
	return cases
}

func openLorelei(backend compute.Backend, _ pipeline.Precision) (*pipeline.Networks, error) {
	domain, err := configs.OpenDomain("lorelei")
	if err != nil {
		return nil, err
	}
	return pipeline.Open(backend, domain.Locations())
}

func caseNames(cases []bench.Case) []string {
	names := make([]string, len(cases))
	for i, c := range cases {
		names[i] = c.Name
	}
	return names
}

// chooseCases returns the cases called names, all of them if there are no names.
func chooseCases(all []bench.Case, names []string) ([]bench.Case, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []bench.Case
	for _, name := range names {
		before := len(chosen)
		for _, c := range all {
			if c.Name == name {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == before {
			return nil, fault.Usage(fmt.Errorf("case %q is unknown", name), "the cases are %s",
				strings.Join(caseNames(all), ", "))
		}
	}
	return chosen, nil
}
