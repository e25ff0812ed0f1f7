package studies

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/draw"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/internal/fault"
	"illustrator/internal/machine"
	"illustrator/models/host"
)

// TrainingPlan says what a training takes still.
type TrainingPlan struct {
	Steps   int
	Seconds float64 // by the times of earlier processes; Known is false where they don't tell all of it
	Known   bool
	Bytes   int64 // that it leaves on the disk
	// Working is what its checkpoints take while it trains.
	Working int64
}

// Plan says where a study stands and what it takes still.
type Plan struct {
	Cells     []Cell
	Todo      int // of the cells
	Trainings int // to do; variants may share one
	Steps     int // of those trainings
	Pairs     string
	Pictures  int   // that cells to do are judged by
	Bytes     int64 // to be written, about
	Working   int64 // besides, while it trains
	// Time is about what the cells to do take, one after the other; Known is false where it takes longer: nothing tells
	// the time of some parts yet.
	Time  time.Duration
	Known bool
}

// Plan plans the study. It starts no device and writes nothing.
func (s *Study) Plan() (p Plan, err error) {
	if p.Cells, err = s.list(); err != nil {
		return p, err
	}
	perCell := len(s.texts) * s.Pictures
	var judging []host.Part
	trainings := map[string]TrainingPlan{}
	for i, c := range s.cells() {
		if p.Cells[i].Done || p.Cells[i].Failed != "" && !s.options.Retry {
			continue
		}
		p.Todo++
		p.Pictures += perCell
		p.Bytes += s.cellBytes(perCell)
		stages := s.stages(c.variant.Draw)
		judging = addPart(judging, stages.Part(eval.Judging, perCell))
		if err := s.planTrainings(c, trainings); err != nil {
			return p, err
		}
	}
	p.Known = true
	seconds := 0.0
	for _, t := range trainings {
		if t.Steps == 0 {
			continue
		}
		p.Trainings++
		p.Steps, p.Bytes, p.Working = p.Steps+t.Steps, p.Bytes+t.Bytes, max(p.Working, t.Working)
		seconds, p.Known = seconds+t.Seconds, p.Known && t.Known
	}
	p.Working *= int64(s.options.Jobs)
	if mean, done := p.meanSeconds(); done {
		seconds, p.Known = mean*float64(p.Todo), true
	} else {
		judged, all := s.env.Estimate(judging)
		seconds, p.Known = seconds+judged, p.Known && all
	}
	p.Time = time.Duration(seconds * float64(time.Second))
	if s.pairs == "" || p.Todo == 0 {
		return p, nil
	}
	return p, s.planPairs(&p)
}

// addPart adds a part to those of other kinds, or its units to one of its kind: programs are compiled once.
func addPart(parts []host.Part, p host.Part) []host.Part {
	for i := range parts {
		if parts[i].Kind == p.Kind {
			parts[i].Units += p.Units
			return parts
		}
	}
	return append(parts, p)
}

// Table lists the cells with their status: a row for the cells of a variant that stand alike.
func (p Plan) Table() [][]string {
	rows := [][]string{{"variant", "seeds", "status"}}
	for _, c := range p.Cells {
		at := slices.IndexFunc(rows, func(row []string) bool { return row[0] == c.Variant && row[2] == c.status() })
		if at < 0 {
			at, rows = len(rows), append(rows, []string{c.Variant, "", c.status()})
		}
		rows[at][1] = strings.TrimPrefix(rows[at][1]+", "+fmt.Sprint(c.Seed), ", ")
	}
	return rows
}

// status says where a cell stands.
func (c Cell) status() string {
	switch {
	case c.Done:
		return fmt.Sprintf("done in %.0f s", c.Seconds)
	case c.Failed != "":
		return "failed: " + fault.OneLine(c.Failed)
	case c.Problem != "":
		return "will fail: " + fault.OneLine(c.Problem)
	}
	return "to do"
}

// Totals say what the cells take together.
func (p Plan) Totals() (rows [][]string) {
	line := func(name, format string, args ...any) {
		rows = append(rows, []string{name, fmt.Sprintf(format, args...)})
	}
	line("cells", "%d, %d to do", len(p.Cells), p.Todo)
	if p.Todo == 0 {
		return rows
	}
	if p.Trainings > 0 {
		line("trainings", "%d, %d steps together", p.Trainings, p.Steps)
	}
	if p.Pairs != "" {
		line("pairs", "%s", p.Pairs)
	}
	line("pictures", "%d to judge", p.Pictures)
	line("time", "%s, one cell after the other", p.time())
	if p.Working == 0 {
		line("disk", "about %s", machine.ByteSize(p.Bytes))
		return rows
	}
	line("disk", "about %s, and %s while it trains", machine.ByteSize(p.Bytes), machine.ByteSize(p.Working))
	return rows
}

// time words the time that is left.
func (p Plan) time() string {
	switch {
	case p.Known:
		return fmt.Sprintf("about %v", p.Time.Round(time.Second))
	case p.Time > 0:
		return fmt.Sprintf("over %v; some parts have not run here yet", p.Time.Round(time.Second))
	}
	return "not known before the first cell is done"
}

// meanSeconds is the mean time of cells that are done, their trainings included.
func (p Plan) meanSeconds() (mean float64, any bool) {
	n := 0
	for _, c := range p.Cells {
		if c.Done {
			mean, n = mean+c.Seconds, n+1
		}
	}
	return mean / float64(max(1, n)), n > 0
}

// cellBytes is about the size of a cell's files: pictures that the report shows, and lines and samples of each picture.
func (s *Study) cellBytes(pictures int) int64 {
	const perPicture, picture = 1500, 100_000
	return int64(len(s.Show))*picture + int64(pictures)*perPicture
}

// planTrainings adds the trainings of a cell that are not planned yet, by their folders.
func (s *Study) planTrainings(c cell, all map[string]TrainingPlan) error {
	if !s.Train || !needsModel(c.variant.Draw) {
		return nil
	}
	run, err := configs.RunOf(s.Study, c.variant, c.seed)
	if err != nil {
		return err
	}
	add := func(name string, run configs.Run) (folder string, err error) {
		if folder, err = s.trainingFolder(name, run); err != nil {
			return folder, err
		}
		if _, planned := all[folder]; !planned {
			all[folder], err = s.options.Trainer.Plan(run, folder, s.pairs)
		}
		return folder, err
	}
	if s.SharedStages > 0 {
		first, rest := run.Split(s.SharedStages)
		shared, err := add(sharedStages, first)
		if err != nil {
			return err
		}
		rest.Init = s.options.Trainer.LastMapper(shared)
		run = rest
	}
	_, err = add(s.trainingName(c.variant), run)
	return err
}

// planPairs says where the pairs come from, and what they take.
func (s *Study) planPairs(p *Plan) error {
	rows, there, err := s.countPairs()
	if err != nil {
		return err
	}
	p.Pairs = fmt.Sprintf("%d in %s", rows, s.pairs)
	if missing := rows - there; missing > 0 {
		session, err := openSession(s.domain)
		if err != nil {
			return err
		}
		const bytes = 4
		row := session.networks.Generator.StyleDim + session.networks.CLIP.ProjectionDim + 2
		p.Bytes += int64(missing) * int64(row) * bytes
		p.Pairs += fmt.Sprintf(", %d of them to be sampled", missing)
		p.Known = false
	}
	return nil
}

// countPairs returns how many pairs the study has when its cells begin, and how many are there.
func (s *Study) countPairs() (rows, there int, err error) {
	if _, err := os.Stat(filepath.Join(s.pairs, "manifest.json")); err == nil || s.options.Pairs != "" {
		set, err := pairs.Open(s.pairs)
		if err != nil {
			return 0, 0, err
		}
		there = set.Len()
		if err := set.Close(); err != nil {
			return 0, 0, err
		}
	}
	if s.options.Pairs != "" {
		return there, there, nil
	}
	run, err := s.firstRun()
	return max(run.Pairs.Rows, there), there, err
}

// checkPairs checks that the pairs that are given fit the networks.
func (s *Study) checkPairs(session *session) error {
	if s.options.Pairs == "" || s.pairs == "" {
		return nil
	}
	set, err := pairs.Open(s.pairs)
	if err != nil {
		return err
	}
	defer set.Close()
	n := session.networks
	return set.Check(pairs.Meta{CLIPSHA256: n.Hashes["clip"], EmbedDim: n.CLIP.ProjectionDim})
}

// problem says why a variant's cells will fail, "" where nothing is known against them.
func (s *Study) problem(v ablation.Variant, model draw.Model) (string, error) {
	if _, err := model.Plan(s.drawSpec(v, s.Seeds[0]), draw.DefaultLimits()); err != nil {
		return err.Error(), nil
	}
	if s.pairs == "" {
		return "", nil
	}
	rows, _, err := s.countPairs()
	if err != nil {
		return "", err
	}
	if samples, err := v.Draw.Samples(); err != nil || samples > rows {
		return fmt.Sprintf("an image prompt of %d samples needs as many pairs; there are %d", samples, rows), err
	}
	if r := v.Draw.Retrieval; r != nil && max(r.Pairs, s.Pictures) > rows {
		return fmt.Sprintf("retrieval of %d pictures a text from %d pairs needs as many; there are %d", s.Pictures, r.Pairs,
			rows), nil
	}
	if !s.Train || !needsModel(v.Draw) {
		return "", nil
	}
	run, err := configs.RunOf(s.Study, v, s.Seeds[0])
	if err != nil {
		return "", err
	}
	if need := run.Train.Validation.Rows + run.Train.Batch; need > rows {
		return fmt.Sprintf("validation and a batch need %d pairs; there are %d", need, rows), nil
	}
	if run.Init != "" {
		if _, err := checkpoints.Open(run.Init); err != nil {
			return fmt.Sprintf("init: %v", err), nil
		}
	}
	return "", nil
}

// problems are those of all variants that have one, by their names.
func (s *Study) problems() (map[string]string, error) {
	session, err := openSession(s.domain)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, v := range s.Variants() {
		problem, err := s.problem(v, session.model())
		if err != nil {
			return nil, err
		}
		if problem != "" {
			all[v.Name] = problem
		}
	}
	return all, nil
}
