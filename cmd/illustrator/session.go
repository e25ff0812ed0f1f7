package main

import (
	"context"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/draw"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/train/runs"
)

// session is a domain with its networks.
type session struct {
	domain   *configs.Domain
	networks *pipeline.Networks
	env      host.Env
}

func addDomainFlag(cmd *cobra.Command, domain *string) {
	cmd.Flags().StringVar(domain, "domain", "lorelei", "domain: the name of an embedded one or the path of a YAML file")
}

// readDomain reads a domain and its networks' configurations. That takes no device, so that a command can check all
// that it was given before it starts one.
func readDomain(opts *terminal.Options, ref string) (*session, error) {
	if _, err := opts.BackendName(); err != nil {
		return nil, err
	}
	domain, networks, err := configs.OpenNetworks(ref)
	if err != nil {
		return nil, err
	}
	networks.Precision = opts.Precision
	return &session{domain: domain, networks: networks, env: opts.Env()}, nil
}

// start opens the backend that s runs on. Calls after the first do nothing.
func (s *session) start() error { return s.env.Start(s.networks) }

// backend starts s and returns its backend.
func (s *session) backend() (compute.Backend, error) {
	err := s.start()
	return s.networks.Backend, err
}

// mapperOptions say which mapper is used.
type mapperOptions struct{ mapper, run, prompts string }

func (m *mapperOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.run, "run", "",
		"folder of a run, or hf-hub:org/name@rev: its domain, its best mapper and its prompts are used")
	cmd.Flags().StringVar(&m.mapper, "mapper", "", "folder of a mapper (default the run's, else the domain's)")
	cmd.Flags().StringVar(&m.prompts, "prompts", "",
		"file of prompts, or an image prompt of the official release (default the run's, else the domain's)")
}

// domainOf returns the domain of the run, unless the flag says otherwise. A run of the hub is downloaded first.
func (m *mapperOptions) domainOf(cmd *cobra.Command, opts *terminal.Options, flag string) (_ string, err error) {
	if m.run, err = runs.Locate(cmd.Context(), opts.Env(), m.run); err != nil {
		return "", err
	}
	if m.run == "" || cmd.Flags().Changed("domain") {
		return flag, nil
	}
	return runs.DomainOf(m.run)
}

// model returns the domain's model, whose mapper may be loaded later.
func (s *session) model() draw.Model { return runs.NewModel(s.domain, s.networks) }

// loadModel loads the chosen mapper and, unless they are not needed, the prompts of the run, or of the domain.
func (s *session) loadModel(ctx context.Context, m mapperOptions, noProjection bool) (draw.Model, error) {
	return runs.OpenModel(ctx, s.domain, s.networks, runs.Choice{
		Run: m.run, Mapper: m.mapper, Prompts: m.prompts, NoProjection: noProjection, Start: s.start,
	})
}
