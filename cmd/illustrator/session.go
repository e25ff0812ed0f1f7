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

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// session is a domain with its networks on a device.
type session struct {
	domain   *configs.Domain
	networks *pipeline.Networks
}

func addDomainFlag(cmd *cobra.Command, domain *string) {
	cmd.Flags().StringVar(domain, "domain", "lorelei", "domain: the name of an embedded one or the path of a YAML file")
}

// openDomain opens the backend and the networks of a domain.
func (o *globalOptions) openDomain(ref string) (*session, error) {
	domain, err := configs.OpenDomain(ref)
	if err != nil {
		return nil, err
	}
	backend, err := o.openBackend()
	if err != nil {
		return nil, err
	}
	networks, err := pipeline.Open(backend, domain.Locations())
	if err != nil {
		return nil, fmt.Errorf("domain %s: %w", domain.Name, err)
	}
	if err := domain.CheckNetworks(networks); err != nil {
		return nil, err
	}
	return &session{domain: domain, networks: networks}, nil
}

// mapperOptions say which mapper is used.
type mapperOptions struct{ mapper, run string }

func (m *mapperOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.run, "run", "", "folder of a run: its best mapper and its prompts are used")
	cmd.Flags().StringVar(&m.mapper, "mapper", "", "folder of a mapper (default the run's, else the domain's)")
}

// loadMapper loads the chosen mapper.
func (s *session) loadMapper(m mapperOptions) error {
	location := m.mapper
	if location == "" && m.run != "" {
		location = filepath.Join(m.run, bestMapper)
	}
	if location == "" {
		location = s.domain.MapperLocation()
	}
	if location == "" {
		return fault.Usage(fmt.Errorf("domain %s has no mapper of its own", s.domain.Name),
			"train one with `illustrator train --domain %s`, then give --run FOLDER", s.domain.Name)
	}
	return s.networks.LoadMapper(location)
}

// loadPrompts returns the run's prompts, else the domain's.
func (s *session) loadPrompts(run string) (data.Prompts, error) {
	name, raw, err := filepath.Join(run, promptsFile), []byte(nil), error(nil)
	if run == "" {
		name, raw, err = s.domain.ReadPrompts()
	} else if raw, err = os.ReadFile(name); err != nil {
		err = fault.Hint(err, "give --run the folder of a finished run")
	}
	if err != nil {
		return data.Prompts{}, err
	}
	return data.ParsePrompts(name, raw, s.networks)
}

// createFolder makes an output folder.
func createFolder(path string) error {
	err := os.MkdirAll(path, 0o777)
	if errors.Is(err, fs.ErrExist) || err != nil {
		return fault.Hint(fmt.Errorf("create output folder: %w", err), "give --out a folder that you can write to")
	}
	return nil
}

// createdBy names this program in the metadata of what it writes.
func createdBy() string { return "illustrator " + readVersions().Illustrator }

// exactArgs refuses another number of arguments and says what they are.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return fault.Usage(fmt.Errorf("%d arguments are given, not %d", len(args), n), "give %s; see `%s --help`", what, cmd.CommandPath())
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
