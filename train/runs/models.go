package runs

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/models/host"
	"illustrator/models/pipeline"
)

// Entry is one of several mappers that draw side by side.
type Entry struct {
	Name   string // of the run as it was given, "" for the domain's own mapper
	Domain string // by name or file
	Choice
}

// OpenModels opens entries of one domain, which the first names, on the networks of that domain.
func OpenModels(ctx context.Context, env host.Env, first *configs.Domain, shared *pipeline.Networks,
	entries []Entry) (models []draw.Model, err error) {
	for i, e := range entries {
		domain, networks := first, shared
		if i > 0 {
			if domain, networks, err = configs.OpenNetworks(e.Domain); err != nil {
				return nil, err
			}
			for _, network := range []string{"generator", "clip"} {
				if networks.Hashes[network] != shared.Hashes[network] {
					return nil, &Error{Code: OtherDomain, Text: fmt.Sprintf(
						"run %q is of another domain than run %q: its %s differs", e.Name, entries[0].Name, network)}
				}
			}
			networks = shared.Sharing(i)
		}
		name := cmp.Or(e.Name, domain.Name)
		if e.Name != "" {
			name = filepath.Base(filepath.Clean(e.Name))
		}
		if slices.ContainsFunc(models, func(m draw.Model) bool { return m.Name == name }) {
			return nil, &Error{Code: SameName, Text: fmt.Sprintf("two runs are called %q", name)}
		}
		e.Start = func() error { return env.Start(networks) }
		model, err := OpenModel(ctx, domain, networks, e.Choice)
		if err != nil {
			return nil, err
		}
		model.Name = name
		models = append(models, model)
	}
	return models, nil
}
