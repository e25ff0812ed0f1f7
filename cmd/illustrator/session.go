package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/arrays"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/train/runs"
)

// session is a domain with its networks.
type session struct {
	domain   *configs.Domain
	networks *pipeline.Networks
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
	return runs.DomainOf(m.run)
}

// model returns the domain's model, whose mapper may be loaded later.
func (s *session) model() draw.Model { return runs.NewModel(s.domain, s.networks) }

// loadModel loads the chosen mapper and, unless they are not needed, the prompts of the run, or of the domain.
func (s *session) loadModel(m mapperOptions, noProjection bool) (draw.Model, error) {
	return runs.OpenModel(s.domain, s.networks, m.run, m.mapper, noProjection)
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
