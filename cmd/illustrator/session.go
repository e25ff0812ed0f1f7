package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/arrays"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// session is a domain with its networks.
type session struct {
	domain   *configs.Domain
	networks *pipeline.Networks
	devices  int // that a training runs on; 0 is 1
}

func addDomainFlag(cmd *cobra.Command, domain *string) {
	cmd.Flags().StringVar(domain, "domain", "lorelei", "domain: the name of an embedded one or the path of a YAML file")
}

// readDomain reads a domain and its networks' configurations. That takes no device, so that a command can check all that
// it was given before it starts one.
func readDomain(opts *terminal.Options, ref string) (*session, error) {
	if _, err := opts.BackendName(); err != nil {
		return nil, err
	}
	domain, networks, err := configs.OpenNetworks(ref)
	if err != nil {
		return nil, err
	}
	return &session{domain: domain, networks: networks}, nil
}

// start opens the backend that s runs on. Calls after the first do nothing.
func start(opts *terminal.Options, s *session) (err error) {
	if s.networks.Backend == nil {
		s.networks.Backend, err = opts.OpenBackend(max(1, s.devices))
	}
	return err
}

// mapperOptions say which mapper is used.
type mapperOptions struct{ mapper, run string }

func (m *mapperOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.run, "run", "", "folder of a run: its domain, its best mapper and its prompts are used")
	cmd.Flags().StringVar(&m.mapper, "mapper", "", "folder of a mapper (default the run's, else the domain's)")
}

// domainOf returns the domain of the run, unless the flag says otherwise.
func (m *mapperOptions) domainOf(cmd *cobra.Command, flag string) (string, error) {
	if m.run == "" || cmd.Flags().Changed("domain") {
		return flag, nil
	}
	config := train.Folder(m.run).Config()
	if _, err := os.Stat(config); errors.Is(err, fs.ErrNotExist) {
		return "", fault.Hint(fmt.Errorf("--run %q: there is no %s", m.run, filepath.Base(config)), "give the folder of a finished `illustrator train` or `illustrator demo`")
	}
	run, err := configs.OpenRun(config, nil)
	return run.Domain, err
}

// loadMapper loads the chosen mapper.
func (s *session) loadMapper(m mapperOptions) error {
	location := m.mapper
	if location == "" && m.run != "" {
		location = train.Folder(m.run).BestMapper()
		if _, err := os.Stat(location); errors.Is(err, fs.ErrNotExist) {
			return fault.Hint(fmt.Errorf("--run %q: there is no %s", m.run, filepath.Base(location)), "give the folder of a finished `illustrator train` or `illustrator demo`")
		}
	}
	if location == "" {
		location = s.domain.MapperLocation()
	}
	if location == "" {
		return fault.Usage(fmt.Errorf("domain %s has no mapper of its own", s.domain.Name),
			"train one with `illustrator train --out runs/first`, then add --run runs/first; `illustrator demo` makes one too, in runs/demo")
	}
	return s.networks.LoadMapper(location)
}

// model returns the domain's model, whose mapper may be loaded later.
func (s *session) model() draw.Model {
	return draw.Model{Name: s.domain.Name, Domain: s.domain.Name, Alpha: s.domain.Alpha, Networks: s.networks}
}

// loadModel loads the chosen mapper and, unless they are not needed, the prompts of the run, or of the domain.
func (s *session) loadModel(m mapperOptions, noProjection bool) (draw.Model, error) {
	model := s.model()
	if err := s.loadMapper(m); err != nil || noProjection {
		return model, err
	}
	prompts, err := s.loadPrompts(m.run)
	model.Prompts = prompts.Prompts
	return model, err
}

// loadPrompts returns the run's prompts, else the domain's.
func (s *session) loadPrompts(run string) (pipeline.PromptFile, error) {
	name, raw, err := train.Folder(run).Prompts(), []byte(nil), error(nil)
	if run == "" {
		name, raw, err = s.domain.ReadPrompts()
	} else if raw, err = os.ReadFile(name); err != nil {
		err = fault.Hint(err, "give --run the folder of a finished `illustrator train` or `illustrator demo`")
	}
	if err != nil {
		return pipeline.PromptFile{}, err
	}
	return pipeline.ParsePrompts(name, raw, s.networks)
}

// readArray reads an array file.
func readArray(path string) (*arrays.Array, error) {
	a, err := arrays.Read(path, "")
	if err != nil && fault.HintOf(err) == "" {
		err = fault.Hint(err, "give a .npy file (float16, float32 or float64), or a .safetensors file with one tensor")
	}
	return a, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
