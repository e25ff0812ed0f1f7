package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// Info is run.json: what a run is, where it stands and what it came to.
type Info struct {
	Status                string            `json:"status"`
	Error                 string            `json:"error,omitempty"` // of a run that failed
	Arguments             []string          `json:"arguments"`       // of the command that last worked on it
	Versions              map[string]string `json:"versions"`
	Device                string            `json:"device"`
	Host                  string            `json:"host"`
	PID                   int               `json:"pid"`
	Networks              map[string]string `json:"networks_sha256"`
	Pairs                 string            `json:"pairs"` // in words
	PairsSHA256           string            `json:"pairs_sha256"`
	ValidationPairsSHA256 string            `json:"validation_pairs_sha256,omitempty"`
	InitSHA256            string            `json:"init_sha256,omitempty"` // of the mapper that it started from
	Parameters            int               `json:"mapper_parameters"`
	Step                  int               `json:"step"` // of the newest checkpoint
	Steps                 int               `json:"steps"`
	Best                  *Best             `json:"best"`
	Seconds               float64           `json:"seconds"` // of work, interruptions left out
	Started               time.Time         `json:"started"`
	Updated               time.Time         `json:"updated"`
}

// The states of a run. A run that is "running" and whose folder can be locked was killed.
const (
	Running     = "running"
	Interrupted = "interrupted"
	Failed      = "failed"
	Finished    = "finished"
)

// maxInfo bounds the bytes of run.json.
const maxInfo = 16 << 20

// ReadInfo reads run.json; nil where there is none.
func (f Folder) ReadInfo() (*Info, error) {
	raw, err := files.ReadFile(f.Info(), maxInfo)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	info := new(Info)
	if err == nil {
		err = jsonfile.Explain(json.Unmarshal(raw, info))
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("read %s: %w", f.Info(), err),
			"the file was changed or damaged: put it back, or remove the run's folder")
	}
	return info, nil
}
