package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/losses"
)

// runInfo is run.json: what a finished training was and came to.
type runInfo struct {
	Versions    versions          `json:"versions"`
	Device      string            `json:"device"`
	Networks    map[string]string `json:"networks_sha256"`
	Pairs       string            `json:"pairs"`
	PairsSHA256 string            `json:"pairs_sha256"` // of the set's manifest, which has those of its files
	Parameters  int               `json:"mapper_parameters"`
	Steps       int               `json:"steps"`
	Seconds     float64           `json:"seconds"`
	Validation  losses.Values     `json:"validation"`
}

// readRunInfo returns nil where the run in folder is not finished.
func readRunInfo(folder string) (*runInfo, error) {
	path := filepath.Join(folder, runInfoFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	info := new(runInfo)
	if err == nil {
		err = json.Unmarshal(raw, info)
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("read %s: %w", path, err), "remove the file to train again")
	}
	return info, nil
}

// finishedRun returns what the run in folder out came to if it is finished, nil if it is not. A run of other settings,
// networks or pairs is an error.
func (s *session) finishedRun(out string, run configs.Run, pairsPath string) (*runInfo, error) {
	if err := checkOutputFolder(out); err != nil {
		return nil, err
	}
	if _, err := sameSettings(out, run); err != nil {
		return nil, err
	}
	info, err := readRunInfo(out)
	if info == nil || err != nil {
		return nil, err
	}
	if err := s.checkRunInfo(out); err != nil {
		return nil, err
	}
	if pairsPath == "" {
		return info, nil
	}
	pairs, err := data.OpenPairs(pairsPath)
	if err != nil {
		return nil, err
	}
	defer pairs.Close()
	if pairs.SHA256() != info.PairsSHA256 {
		return nil, fault.Usage(fmt.Errorf("%s holds a run on other pairs than %q: %s, SHA-256 %.12s", out, pairsPath, info.Pairs, info.PairsSHA256),
			"give another --out, or remove that folder")
	}
	return info, nil
}

// sameSettings reports whether the run's settings are stored in folder out. Other settings are an error that shows one
// difference.
func sameSettings(out string, run configs.Run) (bool, error) {
	text, err := run.YAML()
	if err != nil {
		return false, err
	}
	there, err := os.ReadFile(filepath.Join(out, configFile))
	switch {
	case err != nil:
		return false, nil
	case bytes.Equal(there, text):
		return true, nil
	}
	return false, fault.Usage(fmt.Errorf("%s holds a run with other settings: %s", out, configs.Difference(there, text)), "give another --out, or remove that folder")
}

// claimFolder makes the run's folder and stores the settings in it, or finds the same settings there.
func claimFolder(out string, run configs.Run) error {
	if same, err := sameSettings(out, run); same || err != nil {
		return err
	}
	text, err := run.YAML()
	if err != nil {
		return err
	}
	if err := createFolder(out); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(out, configFile), text, 0o666)
}

// writeJSON writes v, indented, under a final name at once.
func writeJSON(path string, v any) error {
	var text bytes.Buffer
	if err := printJSON(&text, v); err != nil {
		return err
	}
	return renameio.WriteFile(path, text.Bytes(), 0o666)
}
