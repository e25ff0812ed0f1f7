package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/checkpoints/fetch"
	"illustrator/cmd/terminal"
	"illustrator/cmd/worlds/icons"
	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/world"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/models/host"
)

const rootLong = `Draws the pictures of each domain, and trains its networks on them: a classifier, the mapping and
synthesis networks of a StyleGAN2 generator, and one CLIP for all domains. Exports them as folders that the
toolkit opens, with a domain's file each. Lorelei has a generator and a classifier already.

Stages, in order: %s.
A stage needs those before it. Running the same command again continues where it was interrupted, to the same bits, and
skips completed stages.`

type options struct {
	out     string
	domains []string
	stages  []string
	tiny    bool
	seed    uint64
}

func newRootCommand(opts *terminal.Options) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "worlds",
		Short: "Make the networks of the embedded domains",
		Long:  fmt.Sprintf(rootLong, strings.Join(stageNames(), ", ")),
		Example: `  worlds --out .cache/worlds
  worlds --domain chapel --stage mapping,synthesis`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts, o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", ".cache/worlds", "folder of pictures, checkpoints and results")
	flags.StringSliceVar(&o.domains, "domain", nil,
		"domains to make: "+strings.Join(domainNames(), ", ")+" (default: all)")
	flags.StringSliceVar(&o.stages, "stage", nil, "stages to run (default: all)")
	flags.BoolVar(&o.tiny, "tiny", false, "train networks that are too small to draw well, in seconds")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of pictures and networks")
	opts.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(newSheetCommand())
	return cmd
}

// stage is one step of making a world.
type stage struct {
	name string
	// domain does the stage for one domain, world for all of them together, whichever are chosen. One is nil.
	domain func(ctx context.Context, m *world.Maker, d domain) error
	world  func(ctx context.Context, m *world.Maker, all []domain) error
}

var stages = []stage{
	{name: "classifier", domain: own(withRenders((*world.Maker).Classifier))},
	{name: "mapping", domain: own(withScene((*world.Maker).Mapping))},
	{name: "synthesis", domain: own(withRenders((*world.Maker).Synthesis))},
	{name: "teacher", domain: own(withRenders((*world.Maker).Teacher))},
	{name: "details", domain: own(withRenders((*world.Maker).Details))},
	{name: "fidelity", domain: own(withRenders((*world.Maker).Fidelity))},
	{name: "networks", domain: own(withScene((*world.Maker).ExportNetworks))},
	{name: "attributes", world: withShares((*world.Maker).Attributes)},
	{name: "clip", world: withShares((*world.Maker).Contrast)},
	{name: "geometry", world: withShares(reportGeometry)},
	{name: "export", domain: func(_ context.Context, m *world.Maker, d domain) error { return m.Export(d, d.file) }},
}

// own skips a stage for domains that have its networks already.
func own(do func(context.Context, *world.Maker, domain) error) func(context.Context, *world.Maker, domain) error {
	return func(ctx context.Context, m *world.Maker, d domain) error {
		if d.file.Existing != "" {
			return nil
		}
		return do(ctx, m, d)
	}
}

func stageNames() (names []string) {
	for _, s := range stages {
		names = append(names, s.name)
	}
	return names
}

// withScene returns a stage that needs no pictures.
func withScene(do func(*world.Maker, context.Context, scene.Domain) error) func(context.Context, *world.Maker,
	domain) error {
	return func(ctx context.Context, m *world.Maker, d domain) error { return do(m, ctx, d) }
}

// withRenders returns a stage that needs a domain's pictures.
func withRenders(do func(*world.Maker, context.Context, *world.Renders) error) func(context.Context, *world.Maker,
	domain) error {
	return func(ctx context.Context, m *world.Maker, d domain) (err error) {
		r, err := m.Renders(ctx, d)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Close()) }()
		return do(m, ctx, r)
	}
}

func run(ctx context.Context, opts *terminal.Options, o options) error {
	chosen, err := o.choose()
	if err != nil {
		return err
	}
	for _, name := range o.stages {
		if !slices.Contains(stageNames(), name) {
			return fault.Field("--stage", name, "one of %s", strings.Join(stageNames(), ", "))
		}
	}
	m := &world.Maker{Plan: world.FullPlan(), Out: o.out, Log: opts.Log,
		Progress: func(stage string, total int) host.Progress { return opts.NewProgress(stage, total) }}
	if o.tiny {
		m.Plan = world.TinyPlan()
	}
	m.Plan.Seed = o.seed
	if err := m.Plan.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	if m.Backend, err = opts.OpenBackend(1); err != nil {
		return err
	}
	for _, s := range stages {
		if len(o.stages) > 0 && !slices.Contains(o.stages, s.name) {
			continue
		}
		if err := o.do(ctx, m, s, chosen); err != nil {
			return err
		}
	}
	return nil
}

// do runs a stage. A process has the folder of what it trains for itself: several may train different parts at once.
func (o options) do(ctx context.Context, m *world.Maker, s stage, chosen []domain) error {
	if s.world != nil {
		return locked(m, world.Shared, func() error { return s.world(ctx, m, domains) })
	}
	for _, d := range chosen {
		if err := locked(m, d.Name(), func() error { return s.domain(ctx, m, d) }); err != nil {
			return err
		}
	}
	return nil
}

func locked(m *world.Maker, part string, do func() error) (err error) {
	folder := m.Path(part)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	lock, err := files.LockFolder(folder)
	if err != nil {
		return err
	}
	lock.Warn(m.Log)
	defer func() { err = errors.Join(err, lock.Release()) }()
	return do()
}

// choose returns the domains that the flags name.
func (o options) choose() (chosen []domain, err error) {
	if len(o.domains) == 0 {
		return domains, nil
	}
	for _, name := range o.domains {
		i := slices.IndexFunc(domains, func(d domain) bool { return d.Name() == name })
		if i < 0 {
			return nil, fault.Field("--domain", name, "one of %s", strings.Join(domainNames(), ", "))
		}
		chosen = append(chosen, domains[i])
	}
	return chosen, nil
}

// withShares returns a stage that needs the captioned pictures of all domains, and others.
func withShares(do func(*world.Maker, context.Context, []world.Share) error) func(context.Context, *world.Maker,
	[]domain) error {
	return func(ctx context.Context, m *world.Maker, all []domain) (err error) {
		others, err := openIcons(ctx, m)
		if err != nil {
			return err
		}
		shares := []world.Share{{Captioned: others, Share: m.Plan.Others}}
		for _, d := range all {
			r, err := m.Renders(ctx, d)
			if err != nil {
				return err
			}
			defer r.Close()
			shares = append(shares, m.Share(r, len(all)))
		}
		return do(m, ctx, shares)
	}
}

// openIcons downloads the captioned pictures of emoji where they are missing, and opens them.
func openIcons(ctx context.Context, m *world.Maker) (*icons.Set, error) {
	folder := m.Path("icons")
	client := &fetch.Client{Log: func(line string) { m.Log.Warn(line) }}
	if err := icons.Download(ctx, client, folder); err != nil {
		return nil, err
	}
	return icons.Open(ctx, folder, m.Plan.Size, m.Plan.Seed)
}

// reportGeometry measures the CLIP and prints a line for each source.
func reportGeometry(m *world.Maker, ctx context.Context, shares []world.Share) error {
	report, err := m.Geometry(ctx, shares)
	if err != nil {
		return err
	}
	m.Log.Info(fmt.Sprintf("cosines are multiplied by %.1f", report.LogitScale))
	for _, g := range report.Sources {
		m.Log.Info(fmt.Sprintf("%s: mean cosine of two pictures %.2f, of two texts %.2f, of pairs %.2f, of others %.2f; "+
			"means %.2f apart; retrieval 1 of 100 %.1f %%", g.Source, g.Pictures, g.Texts, g.Matched, g.Unmatched, g.Distance,
			100*g.Retrieval))
		for _, a := range g.ZeroShot {
			m.Log.Info(fmt.Sprintf("%s: zero-shot %s %.1f %%", g.Source, a.Attribute, 100*a.Share))
		}
	}
	return nil
}

// domain is a domain with what its file says.
type domain struct {
	scene.Domain
	file world.File
}

func domainNames() (names []string) {
	for _, d := range domains {
		names = append(names, d.Name())
	}
	return names
}
