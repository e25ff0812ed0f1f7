package runs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/internal/files"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// NewModel returns a domain's model, whose mapper may be loaded later.
func NewModel(d *configs.Domain, n *pipeline.Networks) draw.Model {
	return draw.Model{Name: d.Name, Domain: d.Name, Alpha: d.Alpha, Networks: n, Known: d.Known}
}

// Choice says which mapper and prompts a model has. All of it may be zero.
type Choice struct {
	// Mapper is the folder of a mapper, Run that of a run, whose best mapper and prompts are taken; else those of the
	// domain are.
	Run, Mapper string
	// Prompts is a file of prompts, or an image prompt of the official release, to take in their place.
	Prompts      string
	NoProjection bool // the prompts are not read
	// Start opens the networks' device where the embedding of the text prompt must be computed.
	Start func() error
}

// OpenModel loads the chosen mapper and reads the chosen prompts.
func OpenModel(ctx context.Context, d *configs.Domain, n *pipeline.Networks, c Choice) (draw.Model, error) {
	m := NewModel(d, n)
	folder := train.Folder(c.Run)
	switch {
	case c.Mapper != "":
	case c.Run != "":
		if c.Mapper = folder.BestMapper(); !there(c.Mapper) {
			return m, unfinished(c.Run, c.Mapper)
		}
	default:
		if c.Mapper = d.MapperLocation(); c.Mapper == "" {
			return m, &Error{Code: NoMapper, Text: fmt.Sprintf("domain %s has no mapper of its own", d.Name),
				Domain: d.Ref()}
		}
	}
	if err := n.LoadMapper(c.Mapper); err != nil || c.NoProjection {
		return m, err
	}
	prompts, err := OpenPrompts(ctx, d, n, c)
	m.Prompts = prompts.Prompts
	return m, err
}

// OpenPrompts reads the chosen prompts.
func OpenPrompts(ctx context.Context, d *configs.Domain, n *pipeline.Networks, c Choice) (pipeline.PromptFile, error) {
	prompts, err := c.openPrompts(d, n)
	if err == nil && prompts.Text == nil {
		if c.Start != nil {
			err = c.Start()
		}
		if err == nil {
			err = n.CompletePrompts(ctx, &prompts)
		}
	}
	return prompts, err
}

func (c Choice) openPrompts(d *configs.Domain, n *pipeline.Networks) (pipeline.PromptFile, error) {
	folder := train.Folder(c.Run)
	switch {
	case c.Prompts != "":
		raw, err := files.ReadFile(c.Prompts, configs.MaxPromptFile)
		if err != nil {
			return pipeline.PromptFile{}, &Error{Code: NoPrompts, Text: fmt.Sprintf("prompts: %v", err), Err: err}
		}
		return pipeline.ParsePrompts(c.Prompts, raw, n, d.TextPrompt)
	case c.Run == "":
		return d.OpenPrompts(n)
	}
	if path := folder.Prompts(); !there(path) {
		return pipeline.PromptFile{}, unfinished(c.Run, path)
	}
	return readPrompts(folder, n)
}

// DomainOf returns the domain that a run is of.
func DomainOf(run string) (string, error) {
	config := train.Folder(run).Config()
	if !there(config) {
		return "", unfinished(run, config)
	}
	r, err := configs.OpenRun(config, nil)
	if err != nil {
		return "", err
	}
	return r.Domain, r.CheckDomain(config)
}

// ExampleText returns a text that the run's mapper may draw: the first that its validation draws, else the most general
// of its domain.
func (r Run) ExampleText() string {
	config, err := configs.OpenRun(r.Folder.Config(), nil)
	if err != nil {
		return "a text"
	}
	if texts := config.Train.Validation.Texts; len(texts) > 0 {
		return texts[0]
	}
	d, err := configs.OpenDomain(config.Domain)
	if err != nil {
		return "a text"
	}
	return d.TextPrompt
}

// LocateFinished is Locate of a run that has the mapper that pictures are drawn with.
func LocateFinished(ctx context.Context, env host.Env, ref string) (string, error) {
	run, err := Locate(ctx, env, ref)
	if err == nil && run != "" {
		err = checkFinished(run)
	}
	return run, err
}

// checkFinished returns an error unless a run has the mapper that pictures are drawn with.
func checkFinished(run string) error {
	if best := train.Folder(run).BestMapper(); !there(best) {
		return unfinished(run, best)
	}
	return nil
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func unfinished(run, path string) error {
	text := fmt.Sprintf("run %q: there is no %s", run, filepath.Base(path))
	return &Error{Code: Unfinished, Text: text, Err: fs.ErrNotExist}
}
