package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/eval/report"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

// cell is one variant and seed, with a folder of its own.
type cell struct {
	variant ablation.Variant
	seed    uint64
	folder  string
}

// cells lists all cells, seed by seed, so that an interrupted study has whole seeds.
func (s *study) cells() []cell {
	var all []cell
	for _, seed := range s.Seeds {
		for _, v := range s.Variants() {
			all = append(all, cell{v, seed, filepath.Join(s.out, "cells", fmt.Sprintf("%s-seed%d", texts.Slug(v.Name), seed))})
		}
	}
	return all
}

func (c cell) info() string { return filepath.Join(c.folder, "cell.json") }
func (c cell) picture(i int) string {
	return filepath.Join(c.folder, "pictures", fmt.Sprintf("%02d.png", i+1))
}
func (c cell) String() string             { return fmt.Sprintf("%s, seed %d", c.variant.Name, c.seed) }
func (c cell) write(info *cellInfo) error { return jsonfile.Write(c.info(), info) }

// cellInfo is cell.json.
type cellInfo struct {
	Variant string `json:"variant"`
	Seed    uint64 `json:"seed"`
	// Spec is all that the cell's figures depend on beside networks and pairs, as YAML.
	Spec     string  `json:"spec"`
	Training string  `json:"training,omitempty"` // the run's folder
	Done     bool    `json:"done"`
	Failed   string  `json:"failed,omitempty"`
	Seconds  float64 `json:"seconds"`
}

// read returns what is known of the cell, nil where nothing is. A cell of another spec is an error that names one difference.
func (s *study) read(c cell) (*cellInfo, error) {
	raw, err := os.ReadFile(c.info())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	info := new(cellInfo)
	if err == nil {
		err = json.Unmarshal(raw, info)
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("read %s: %w", c.info(), err), "the file is damaged: remove the folder %s", c.folder)
	}
	spec, err := s.spec(c)
	if err == nil && info.Spec != spec {
		err = fault.Usage(fmt.Errorf("%s was made by other settings: %s", c.folder, configs.Difference([]byte(info.Spec), []byte(spec))),
			"give another --out, or remove that folder")
	}
	return info, err
}

// spec is what a cell's figures depend on.
func (s *study) spec(c cell) (string, error) {
	of := struct {
		Run              *configs.Run  `yaml:"run,omitempty"`
		SharedStages     int           `yaml:"shared_stages,omitempty"`
		Mapper           string        `yaml:"mapper,omitempty"`
		Draw             ablation.Draw `yaml:"draw"`
		Texts            []string      `yaml:"texts"`
		Pictures         int           `yaml:"pictures"`
		Metrics          []string      `yaml:"metrics"`
		ReferenceSamples int           `yaml:"reference_samples"`
		Show             []string      `yaml:"show"`
	}{SharedStages: s.SharedStages, Mapper: s.options.run, Draw: c.variant.Draw, Pictures: s.Pictures, Metrics: s.Metrics, ReferenceSamples: s.ReferenceSamples, Show: s.Show}
	if s.Train {
		run, err := configs.RunOf(s.Study, c.variant, c.seed)
		if err != nil {
			return "", err
		}
		of.Run = &run
	}
	for _, t := range s.texts {
		of.Texts = append(of.Texts, t.Text)
	}
	text, err := yaml.Marshal(of)
	return string(text), err
}

// list prints the cells and where they stand.
func (s *study) list() error {
	rows := [][]string{{"variant", "seed", "status"}}
	for _, c := range s.cells() {
		info, err := s.read(c)
		if err != nil {
			return err
		}
		status := "to do"
		switch {
		case info == nil:
		case info.Done:
			status = fmt.Sprintf("done in %.0f s", info.Seconds)
		case info.Failed != "":
			status = "failed: " + terminal.OneLine(info.Failed)
		}
		rows = append(rows, []string{c.variant.Name, fmt.Sprint(c.seed), status})
	}
	return terminal.PrintTable(s.stdout, rows)
}

// run does what is left of the study and writes its results. It returns them in short, with fault.ErrPartial where cells failed.
func (s *study) run(ctx context.Context) (report.Section, error) {
	todo, err := s.left()
	if err != nil {
		return report.Section{}, err
	}
	if err := terminal.CreateFolder(s.out); err != nil {
		return report.Section{}, err
	}
	if len(todo) > 0 {
		if err := s.samplePairs(ctx); err != nil {
			return report.Section{}, err
		}
		if err := s.work(ctx, todo); err != nil {
			return report.Section{}, err
		}
	}
	return s.report()
}

// left lists the cells that are to be done.
func (s *study) left() ([]cell, error) {
	var todo []cell
	for _, c := range s.cells() {
		info, err := s.read(c)
		if err != nil {
			return nil, err
		}
		if info == nil || !info.Done && (info.Failed == "" || s.options.retry) {
			todo = append(todo, c)
		}
	}
	return todo, nil
}

// work does cells, as many at a time as there are jobs.
func (s *study) work(ctx context.Context, todo []cell) error {
	group, ctx := errgroup.WithContext(ctx)
	queue := make(chan cell, len(todo))
	for _, c := range todo {
		queue <- c
	}
	close(queue)
	for range min(s.options.jobs, len(todo)) {
		group.Go(func() error {
			w, err := s.newWorker(ctx)
			if err != nil {
				return err
			}
			for c := range queue {
				s.log.Info(fmt.Sprintf("cell %d of %d: %s", len(todo)-len(queue), len(todo), c))
				if err := w.do(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// do does a cell and notes how it ended. Only what stops the whole study is an error.
func (w *worker) do(ctx context.Context, c cell) error {
	began := time.Now()
	spec, err := w.spec(c)
	if err != nil {
		return err
	}
	if err := terminal.CreateFolder(filepath.Join(c.folder, "pictures")); err != nil {
		return err
	}
	info := &cellInfo{Variant: c.variant.Name, Seed: c.seed, Spec: spec}
	err = w.measure(ctx, c, info)
	info.Seconds = time.Since(began).Seconds()
	switch {
	case err == nil:
		info.Done = true
	case context.Cause(ctx) != nil:
		return fault.Hint(fmt.Errorf("%s: %w", c, err), "the same command goes on from there")
	default:
		info.Failed = err.Error()
		w.log.Warn(fmt.Sprintf("%s failed: %s", c, terminal.OneLine(info.Failed)))
	}
	return c.write(info)
}

// outcome reads what came of a cell; ok is false where nothing has yet.
func (s *study) outcome(c cell) (o ablation.Outcome, ok bool, err error) {
	info, err := s.read(c)
	if err != nil || info == nil || !info.Done && info.Failed == "" {
		return o, false, err
	}
	o = ablation.Outcome{Variant: c.variant.Name, Seed: c.seed, Failed: info.Failed, Seconds: info.Seconds}
	if !info.Done {
		return o, true, nil
	}
	if o.Result, err = eval.ReadResult(c.folder); err != nil {
		return o, false, err
	}
	for i := range s.Show {
		picture, err := os.ReadFile(c.picture(i))
		if err != nil {
			return o, false, err
		}
		o.Pictures = append(o.Pictures, picture)
	}
	return o, true, nil
}
