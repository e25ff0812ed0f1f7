package train

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/train/snapshot"
)

// Folder is the folder of a run:
//
//	config.yaml run.json log.txt     what it is
//	metrics.jsonl                    the record of all losses
//	prompts.safetensors pairs/       what it was trained on
//	checkpoints/000500/              the whole state after 500 steps
//	mapper-best/ mapper-last/        the mapper alone
//	samples/000500.png tensorboard/  to watch it
//	eval/ pictures/                  what eval and demo make of it
type Folder string

// Paths of the folder's parts.
func (f Folder) Config() string      { return f.join("config.yaml") }
func (f Folder) Info() string        { return f.join("run.json") }
func (f Folder) Log() string         { return f.join("log.txt") }
func (f Folder) Metrics() string     { return f.join("metrics.jsonl") }
func (f Folder) Prompts() string     { return f.join("prompts.safetensors") }
func (f Folder) Pairs() string       { return f.join("pairs") }
func (f Folder) BestMapper() string  { return f.join("mapper-best") }
func (f Folder) LastMapper() string  { return f.join("mapper-last") }
func (f Folder) Samples() string     { return f.join("samples") }
func (f Folder) events() string      { return f.join("tensorboard") }
func (f Folder) Evaluation() string  { return f.join("eval") }
func (f Folder) Pictures() string    { return f.join("pictures") }
func (f Folder) checkpoints() string { return f.join("checkpoints") }
func (f Folder) Sample(step int) string {
	return filepath.Join(f.Samples(), fmt.Sprintf("%06d.png", step))
}

func (f Folder) checkpoint(step int) string { return snapshot.Dir(f.checkpoints(), step) }

func (f Folder) join(name string) string { return filepath.Join(string(f), name) }

// Checkpoints lists the steps after which there is a checkpoint, the newest first.
func (f Folder) Checkpoints() ([]int, error) { return snapshot.Steps(f.checkpoints()) }

// RemoveCheckpoints removes the states of a finished training: its mappers and its record stay, but it cannot be taken
// up again.
func (f Folder) RemoveCheckpoints() error { return os.RemoveAll(f.checkpoints()) }

// Has reports whether an entry of the folder called name is part of a run or made of it by a command, or was left
// half-written by one.
func (f Folder) Has(name string) bool {
	parts := []string{f.Config(), f.Info(), f.Log(), f.Metrics(), f.Prompts(), f.Pairs(), f.BestMapper(), f.LastMapper(),
		f.Samples(), f.events(), f.checkpoints(), f.Evaluation(), f.Pictures()}
	return name[0] == '.' || slices.ContainsFunc(parts, func(path string) bool { return filepath.Base(path) == name })
}

// sweep removes what a killed process left half-written: hidden files and folders, which no part of a run is.
func (f Folder) sweep() error {
	for _, dir := range []string{string(f), f.checkpoints(), f.Samples()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
