package runs

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/models/host"
	"illustrator/models/pipeline"
)

// Served names what one server draws.
type Served struct {
	// Domains are names of embedded domains or files. With several, each run belongs to its own domain, and a domain
	// without runs has its own mapper; a single one is the domain of all runs; with none the runs' domains are drawn.
	Domains, Runs []string
	Mapper        string // of a single domain without runs; "" is the domain's
	Pad           bool   // uploads are padded
	Precision     pipeline.Precision
}

// Opened is a domain with the models that draw it.
type Opened struct {
	Domain   *configs.Domain
	Networks *pipeline.Networks // of the first model; the others share generator and CLIP
	Models   []draw.Model
	ref      string // that it was opened by
}

// Open opens each domain once, with the mappers of its runs. That takes no device, unless prompts must be completed;
// all domains share the one of env.
func (s Served) Open(ctx context.Context, env host.Env) (all []*Opened, err error) {
	for _, ref := range s.Domains {
		of, err := s.open(ref)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(all, of.isNamesake); i >= 0 {
			return nil, namesakes(all[i], of)
		}
		all = append(all, of)
	}
	if s.Mapper != "" && len(all) > 1 {
		return nil, &Error{Code: OneMapper, Text: fmt.Sprintf("one mapper is given for %d domains", len(all))}
	}
	folders := make([]string, len(s.Runs))
	for i, run := range s.Runs {
		if folders[i], err = Locate(ctx, env, run); err != nil {
			return nil, err
		}
	}
	for i, name := range names(s.Runs, folders) {
		run := folders[i]
		ref := ""
		if len(s.Domains) == 1 {
			ref = s.Domains[0]
		} else if ref, err = DomainOf(run); err != nil {
			return nil, err
		}
		of, err := s.domainOfRun(&all, ref)
		if err != nil {
			return nil, err
		}
		if err := of.add(ctx, env, name, Choice{Run: run}); err != nil {
			return nil, err
		}
	}
	for _, of := range all {
		if len(of.Models) > 0 {
			continue
		}
		if err := of.add(ctx, env, of.Domain.Name, Choice{Mapper: s.Mapper}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// names are those of runs in folders: the folder's, with as much of the path before it as tells it from the others. One
// of the hub has its repository's and its revision.
func names(refs, folders []string) []string {
	paths, all := make([][]string, len(refs)), make([]string, len(refs))
	for i, ref := range refs {
		if name, ok := strings.CutPrefix(ref, hubPrefix); ok {
			paths[i] = []string{name}
		} else {
			paths[i] = strings.Split(filepath.ToSlash(filepath.Clean(folders[i])), "/")
		}
	}
	end := func(path []string, n int) string { return strings.Join(path[max(0, len(path)-n):], "/") }
	for i, path := range paths {
		n := 1
		for n < len(path) && slices.ContainsFunc(paths, func(other []string) bool {
			return !slices.Equal(other, path) && end(other, n) == end(path, n)
		}) {
			n++
		}
		all[i] = end(path, n)
	}
	return all
}

// open opens a domain.
func (s Served) open(ref string) (*Opened, error) {
	d, n, err := configs.OpenNetworks(ref)
	if err != nil {
		return nil, err
	}
	n.Preprocessor.Pad, n.Precision = s.Pad, s.Precision
	return &Opened{Domain: d, Networks: n, ref: ref}, nil
}

// domainOfRun returns the domain that a run names as ref: one of all that has its networks, else a new one, which it
// adds.
func (s Served) domainOfRun(all *[]*Opened, ref string) (*Opened, error) {
	of, err := s.open(ref)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(*all, func(o *Opened) bool { return o.isNamesake(of) && o.shares(of) })
	if i < 0 {
		i = slices.IndexFunc(*all, of.shares)
	}
	if i >= 0 {
		return (*all)[i], nil
	}
	if i := slices.IndexFunc(*all, of.isNamesake); i >= 0 {
		return nil, namesakes((*all)[i], of)
	}
	*all = append(*all, of)
	return of, nil
}

func (o *Opened) isNamesake(other *Opened) bool { return o.Domain.Name == other.Domain.Name }

// shares reports whether both domains have the same generator and CLIP.
func (o *Opened) shares(other *Opened) bool {
	a, b := o.Networks.Hashes, other.Networks.Hashes
	return a["generator"] == b["generator"] && a["clip"] == b["clip"]
}

// namesakes is the error of two domains of one name.
func namesakes(a, b *Opened) error {
	text := fmt.Sprintf("domain %s is given twice", a.ref)
	if a.ref != b.ref {
		text = fmt.Sprintf("two domains are called %q: %s and %s", a.Domain.Name, a.ref, b.ref)
	}
	return &Error{Code: SameDomain, Text: text}
}

// add adds a model.
func (o *Opened) add(ctx context.Context, env host.Env, name string, c Choice) error {
	if slices.ContainsFunc(o.Models, func(m draw.Model) bool { return m.Name == name }) {
		return &Error{Code: SameName, Text: fmt.Sprintf("two runs are called %q", name)}
	}
	n := o.Networks
	if len(o.Models) > 0 {
		n = n.Sharing(len(o.Models))
	}
	c.Start = func() error { return env.Start(o.Networks) }
	m, err := OpenModel(ctx, o.Domain, n, c)
	m.Name = cmp.Or(name, m.Name)
	o.Models = append(o.Models, m)
	return err
}
