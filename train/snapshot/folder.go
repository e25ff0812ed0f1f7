package snapshot

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"illustrator/checkpoints"
)

// layout marks a folder as the state of a training. Weights alone do not make a folder resumable.
const layout = "training state"

// Write writes a checkpoint: config as its config.json, variables as its weights. tool is the name of the program.
func Write(dir string, config any, variables *checkpoints.Weights, tool string) error {
	return checkpoints.Write(dir, checkpoints.Contents{
		Config: config, Weights: variables, Layout: layout, Tool: tool, Replace: true,
	})
}

// Read reads what Write wrote. A folder that is damaged is an error.
func Read(dir string, config any) (*checkpoints.Weights, error) {
	folder, err := checkpoints.Open(dir)
	if err != nil {
		return nil, err
	}
	if m := folder.Manifest(); m == nil || m.Layout != layout {
		return nil, fmt.Errorf("%s has no manifest of a training's state", dir)
	}
	if err := folder.Config(config); err != nil {
		return nil, err
	}
	return folder.Weights()
}

// Dir returns the checkpoint's folder after step steps, in a folder of checkpoints.
func Dir(folder string, step int) string { return filepath.Join(folder, fmt.Sprintf("%06d", step)) }

// Steps lists the steps after which folder has a checkpoint, the newest first.
func Steps(folder string) ([]int, error) {
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil, nil
	}
	var steps []int
	for _, e := range entries {
		if step, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	return steps, err
}
