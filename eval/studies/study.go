// Package studies executes evaluations: of a run's pictures or of a folder's, and studies, which train or draw variants
// of a run and compare them.
package studies

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/singleflight"

	"illustrator/configs"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/eval/chart"
	"illustrator/eval/methods"
	"illustrator/internal/fault"
	"illustrator/internal/share"
	"illustrator/models/host"
	"illustrator/models/pipeline"
)

// Trainer does for studies what needs training, which package eval does not know.
type Trainer interface {
	// Sample completes the pairs of a run in a folder.
	Sample(ctx context.Context, run configs.Run, folder string) error
	// Train trains a run in a folder on the pairs in another, unless that is done.
	Train(ctx context.Context, run configs.Run, folder, pairs string) error
	// Plan says what Train would take.
	Plan(run configs.Run, folder, pairs string) (TrainingPlan, error)
	// LastMapper names the folder of the last mapper of the run in a folder.
	LastMapper(folder string) string
	// Seconds returns the time that the training in a folder took, interruptions left out.
	Seconds(folder string) (float64, error)
	// OpenModel loads the best mapper of the run in a folder, or the domain's for "", and their prompts, unless they are
	// not needed.
	OpenModel(ctx context.Context, d *configs.Domain, n *pipeline.Networks, run string,
		noProjection bool) (draw.Model, error)
	// Losses draws the losses of trainings over their steps, by the trainings' labels.
	Losses(trainings []Training) (chart.Figure, error)
}

// Training is a run's folder under the name of the variant that it trained. Before is the folder of the stages that it
// shares with others and continues from, "" for none.
type Training struct{ Folder, Label, Before string }

// Options say how studies are executed.
type Options struct {
	// Out is the folder to write; of several studies, the folder of theirs, which share pairs of equal number.
	Out     string
	Several bool
	// Pairs is a folder of pairs; "" samples them where a variant needs any.
	Pairs string
	// Run is the folder of a run whose mapper a study uses that does not train; "" is the domain's mapper.
	Run string
	// Domain takes the place of the domain of a study's base; "" keeps it.
	Domain string
	Seeds  []uint64 // nil leaves the study's own
	// Part is the part of the cells that this process begins with, of several that share them.
	Part  share.Part
	Jobs  int  // cells at a time, each with a device client of its own
	Retry bool // cells that failed
	// Command is the command line for the report.
	Command string
	Trainer Trainer
}

// Study is a study under way.
type Study struct {
	*ablation.Study
	Name string // of its file, without extension

	env       host.Env
	options   Options
	out       string
	domain    string
	networks  map[string]string // hashes of the domain's
	texts     []texts.Text
	pairs     string             // the folder of pairs, "" where no variant needs any
	trainings singleflight.Group // cells that need the same training share it
	rehearsal string             // what it has less of than its file asks for, "" for nothing
	judge     string             // the domain's
	judgeless bool               // the study has columns of a judge, and the domain none
	leases    *share.Folder      // of cells, trainings, pairs and reference, among processes
}

// NameOf names the study at ref: an embedded one, or the path of a YAML file.
func NameOf(ref string) string { return strings.TrimSuffix(filepath.Base(ref), filepath.Ext(ref)) }

// Open reads the study at ref with further overrides, and checks all that it names, before anything is computed.
func Open(env host.Env, ref string, set []string, options Options) (*Study, error) {
	of, err := configs.OpenStudy(ref, options.Domain, set)
	if err != nil {
		return nil, err
	}
	s := &Study{env: env, Study: of, options: options, Name: NameOf(ref), out: options.Out}
	if options.Several {
		s.out = filepath.Join(options.Out, s.Name)
	}
	s.leases = share.NewFolder(filepath.Join(s.out, "leases"))
	if options.Seeds != nil {
		s.Seeds = options.Seeds
		if err := s.Validate(); err != nil {
			return nil, &Error{Code: InvalidSeeds, Text: fmt.Sprintf("seeds: %v", err), Err: err}
		}
	}
	if options.Run != "" && s.Train {
		return nil, &Error{Code: TrainsItself, Text: fmt.Sprintf("run %q, but study %s trains its own mappers", options.Run,
			s.Name)}
	}
	run, err := s.firstRun()
	if err != nil {
		return nil, err
	}
	s.domain = run.Domain
	if s.rehearsal, err = rehearsal(ref, options.Domain, s.Study); err != nil {
		return nil, err
	}
	if s.needsPairs() {
		s.pairs = cmp.Or(options.Pairs, filepath.Join(s.out, "pairs"))
		if options.Several && options.Pairs == "" {
			s.pairs = filepath.Join(options.Out, fmt.Sprintf("pairs-%d", run.Pairs.Rows))
		}
	}
	return s, s.check()
}

// Out returns the folder that the study writes.
func (s *Study) Out() string { return s.out }

// firstRun returns the run of the first cell, whose domain and pairs all cells have.
func (s *Study) firstRun() (configs.Run, error) {
	return configs.RunOf(s.Study, s.Variants()[0], s.Seeds[0])
}

// needsPairs reports whether a variant trains, takes samples of pairs for its image prompt, or retrieves pairs.
func (s *Study) needsPairs() bool {
	for _, v := range s.Variants() {
		if n, _ := v.Draw.Samples(); n > 0 || v.Draw.Retrieval != nil {
			return true
		}
	}
	return s.Train
}

// check reads the domain and the texts, and checks what variants ask of them.
func (s *Study) check() error {
	session, err := openSession(s.domain)
	if err != nil {
		return err
	}
	s.networks = session.networks.Hashes
	s.takeJudge(session.domain)
	if err := s.readTexts(session.domain); err != nil {
		return err
	}
	if err := s.checkPairs(session); err != nil {
		return err
	}
	for _, v := range s.Variants() {
		if layers := session.networks.Generator.NumLayers(); v.Draw.InjectIndex > layers {
			return fault.Usage(fmt.Errorf("variant %q: draw.inject_index is %d", v.Name, v.Draw.InjectIndex),
				"this generator has layers 0 to %d", layers)
		}
		if n, _ := v.Draw.PromptText(); n > len(s.texts) {
			return fault.Usage(fmt.Errorf("variant %q: draw.text_prompt is %q", v.Name, *v.Draw.TextPrompt),
				"the study has %d texts", len(s.texts))
		}
	}
	if s.Manipulate && session.networks.Classifier == nil {
		return fault.Usage(fmt.Errorf("study %s manipulates, and domain %s has no classifier", s.Name, s.domain),
			"name a classifier in the domain's file: it says what changed")
	}
	request := eval.Request{Domain: session.domain.Name, Texts: s.texts, Metrics: s.Metrics, Seeds: s.Seeds}
	if err := request.Check(session.networks); err != nil {
		return err
	}
	return s.checkFigures(request)
}

// checkFigures checks that all figures that tables, charts and claims name will be measured.
func (s *Study) checkFigures(request eval.Request) error {
	check := func(field, name string) error {
		var err error
		switch of := eval.ManipulationFigures(); {
		case s.Manipulate && !slices.Contains(of, name):
			err = fault.Usage(fmt.Errorf("%q is not measured", name), "%s", fault.Choices("the figures", name, of))
		case !s.Manipulate && !slices.Contains(methods.Costs(), name):
			err = request.CheckFigure(name, s.Pictures)
		}
		if err != nil {
			err = fmt.Errorf("study %s: %s: %w", s.Name, field, err)
		}
		return err
	}
	for _, name := range s.Columns {
		if err := check("columns", name); err != nil {
			return err
		}
	}
	for _, name := range s.Chart {
		if err := check("chart", name); err != nil {
			return err
		}
	}
	for i, c := range s.Claims {
		if err := check(fmt.Sprintf("claims[%d].metric", i), c.Metric); err != nil {
			return err
		}
	}
	return nil
}

// readTexts reads the study's texts of its kinds, or the domain's.
func (s *Study) readTexts(domain *configs.Domain) (err error) {
	if s.Texts != "" {
		if s.texts, err = texts.Read(s.Texts); errors.Is(err, fs.ErrNotExist) {
			err = fault.Usage(err, "the study's `texts` names it: a relative path begins in the current folder")
		}
	} else {
		s.texts, err = domain.Texts()
	}
	if err != nil || len(s.Kinds) == 0 {
		return err
	}
	s.texts = slices.DeleteFunc(s.texts, func(t texts.Text) bool { return !slices.Contains(s.Kinds, t.Kind) })
	if len(s.texts) == 0 {
		return fault.Usage(fmt.Errorf("kinds: no text is of the kinds %s", strings.Join(s.Kinds, ", ")),
			"name kinds that the texts have")
	}
	return nil
}

// session is a domain with networks of its own.
type session struct {
	domain   *configs.Domain
	networks *pipeline.Networks
}

// model is the domain's, with the mapper that is loaded.
func (s *session) model() draw.Model {
	return draw.Model{Name: s.domain.Name, Domain: s.domain.Name, Alpha: s.domain.Alpha, Networks: s.networks}
}

func openSession(domain string) (s *session, err error) {
	s = new(session)
	s.domain, s.networks, err = configs.OpenNetworks(domain)
	return s, err
}
