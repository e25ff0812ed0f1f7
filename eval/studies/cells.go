package studies

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

	"illustrator/configs"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/internal/share"
	"illustrator/models/xla/programs"
)

// cell is one variant and seed, with a folder of its own.
type cell struct {
	variant ablation.Variant
	seed    uint64
	folder  string
}

// cells lists all cells, seed by seed, so that an interrupted study has whole seeds.
func (s *Study) cells() []cell {
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
func (c cell) lease() string              { return filepath.Base(c.folder) }
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
	Attempts int     `json:"attempts,omitempty"` // that have ended
	Seconds  float64 `json:"seconds"`
	Compiled float64 `json:"compile_seconds,omitempty"` // of Seconds, which later cells do not take
}

// own is the time of the cell without compilation.
func (c cellInfo) own() float64 { return max(0, c.Seconds-c.Compiled) }

// read returns what is known of the cell, nil where nothing is. A cell of another spec is an error that names one
// difference.
func (s *Study) read(c cell) (*cellInfo, error) {
	raw, err := os.ReadFile(c.info())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	info := new(cellInfo)
	if err == nil {
		err = json.Unmarshal(raw, info)
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("read %s: %w", c.info(), err), "the file is damaged: remove the folder %s",
			c.folder)
	}
	spec, err := s.spec(c)
	if err == nil && info.Spec != spec {
		err = &Error{Code: OtherCell, Text: fmt.Sprintf("%s was made by other settings: %s", c.folder,
			configs.Difference([]byte(info.Spec), []byte(spec)))}
	}
	return info, err
}

// spec holds the settings that a cell's figures depend on.
func (s *Study) spec(c cell) (string, error) {
	of := struct {
		Run              *configs.Run      `yaml:"run,omitempty"`
		SharedStages     int               `yaml:"shared_stages,omitempty"`
		Mapper           string            `yaml:"mapper,omitempty"`
		Judge            string            `yaml:"judge,omitempty"`
		Draw             ablation.Draw     `yaml:"draw"`
		Texts            []string          `yaml:"texts"`
		Pictures         int               `yaml:"pictures"`
		Metrics          []eval.MetricName `yaml:"metrics"`
		ReferenceSamples int               `yaml:"reference_samples"`
		Show             []string          `yaml:"show"`
	}{SharedStages: s.SharedStages, Mapper: s.options.Run, Judge: s.judge, Draw: c.variant.Draw,
		Pictures: s.Pictures, Metrics: s.Metrics,
		ReferenceSamples: s.ReferenceSamples, Show: s.Show}
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

// Cell is the state of a cell.
type Cell struct {
	Variant string
	Seed    uint64
	Done    bool
	Seconds float64 // of a done one, without the compilation of programs that later cells have then
	Failed  string  // why it failed, if it did
	Problem string  // why it will fail, where that is known
}

// list says where the cells stand.
func (s *Study) list() (all []Cell, err error) {
	problems, err := s.problems()
	if err != nil {
		return nil, err
	}
	for _, c := range s.cells() {
		info, err := s.read(c)
		if err != nil {
			return nil, err
		}
		cell := Cell{Variant: c.variant.Name, Seed: c.seed, Problem: problems[c.variant.Name]}
		if info != nil {
			cell.Done, cell.Seconds, cell.Failed = info.Done, info.own(), info.Failed
		}
		all = append(all, cell)
	}
	return all, nil
}

// do executes a cell and records how it ended. Only what stops the whole study, or what another process is doing, is an
// error.
func (w *worker) do(ctx context.Context, t task) error {
	began, compiled := time.Now(), programs.Spent()
	spec, err := w.spec(t.cell)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(t.folder, "pictures"), 0o777); err != nil {
		return err
	}
	info := &cellInfo{Variant: t.variant.Name, Seed: t.seed, Spec: spec, Attempts: t.attempts + 1}
	err = w.measure(ctx, t.cell, info)
	info.Seconds, info.Compiled = time.Since(began).Seconds(), (programs.Spent() - compiled).Seconds()
	var held *share.HeldError
	switch {
	case err == nil:
		info.Done = true
	case errors.As(err, &held), errors.Is(err, files.ErrInUse), errors.Is(err, share.ErrLost):
		return err
	case context.Cause(ctx) != nil:
		return fault.Hint(fmt.Errorf("%s: %w", t, err), "the same command resumes from there")
	default:
		info.Failed = err.Error()
		w.env.Log.Warn(fmt.Sprintf("%s failed: %s", t, fault.OneLine(info.Failed)))
	}
	return t.write(info)
}

// outcome reads what came of a cell; ok is false where nothing has yet.
func (s *Study) outcome(c cell) (o ablation.Outcome, ok bool, err error) {
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
