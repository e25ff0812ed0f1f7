package draw

import (
	"context"
	"iter"
	"slices"

	"illustrator/data/texts"
	"illustrator/models/pipeline"
)

// Options say how Run goes about it.
type Options struct {
	// AtOnce bounds the pictures that are drawn together; 0 means 32. A picture's last digits depend on it: with 1 they
	// don't depend on the pictures beside it.
	AtOnce int
	// Tokens are the requests' texts as CLIP reads them; nil has Run tokenize these.
	Tokens pipeline.Tokens
	// Score asks how well all pictures match their texts.
	Score bool
	// Progress, which may be nil, is called with the pictures that were drawn and, where pictures are being refined,
	// with the steps that all of them have taken together.
	Progress func(count int, refining *Progress)
}

// AtOnce bounds the pictures that Run draws together where its options don't say: few are held in memory.
const AtOnce = 32

// Run draws the pictures of requests and yields each when it is finished, text by text, the best of a text first. Its
// pixels are the caller's. Requests are drawn in groups of at most AtOnce pictures. An error ends the pictures.
func Run(ctx context.Context, models []Model, requests []Request, o Options) iter.Seq2[*Picture, error] {
	if o.AtOnce == 0 {
		o.AtOnce = AtOnce
	}
	if o.Progress == nil {
		o.Progress = func(int, *Progress) {}
	}
	return func(yield func(*Picture, error) bool) {
		r := run{models: models, options: o, yield: yield}
		if err := r.all(ctx, requests); err != nil {
			yield(nil, err)
		}
	}
}

// run is a Run under way.
type run struct {
	models  []Model
	options Options
	yield   func(*Picture, error) bool
	count   int
	stopped bool // the caller wants no more
}

func (r *run) all(ctx context.Context, requests []Request) error {
	embeds, err := r.embed(ctx, requests)
	if err != nil {
		return err
	}
	for from := 0; from < len(requests) && !r.stopped; {
		pictures, to := 0, from
		var works []*Work
		for ; to < len(requests) && (to == from || pictures+len(requests[to].Seeds) <= r.options.AtOnce); to++ {
			q := requests[to]
			recipes := q.Recipes(q.Model, q.Text)
			for i := range recipes {
				recipes[i].TextEmbed, recipes[i].request = embeds[to], to
				recipes[i].Score = recipes[i].Score || r.options.Score
			}
			works, pictures = append(works, NewWork(recipes, q.Choice)), pictures+len(recipes)
		}
		if err := r.group(ctx, works); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// embed embeds the requests' texts [E].
func (r *run) embed(ctx context.Context, requests []Request) (embeds [][]float32, err error) {
	n, tokens, atOnce := r.models[0].Networks, r.options.Tokens, max(1, len(requests))
	if tokens == nil {
		if tokens, err = n.Tokenize(texts.Strings(Texts(requests))); err != nil {
			return nil, err
		}
	}
	if r.options.AtOnce < AtOnce {
		atOnce = r.options.AtOnce
	}
	for part := range slices.Chunk(tokens, atOnce) {
		rows, err := n.EmbedTokens(ctx, part)
		if err != nil {
			return nil, err
		}
		embeds = slices.AppendSeq(embeds, slices.Chunk(rows, n.CLIP.ProjectionDim))
	}
	return embeds, nil
}

// owned is a task with the work that it belongs to.
type owned struct {
	Task
	work *Work
}

// group draws the pictures of some works. Those that are chosen are refined before others are drawn.
func (r *run) group(ctx context.Context, works []*Work) error {
	for len(works) > 0 {
		var tasks []owned
		for len(tasks) < r.options.AtOnce && len(works) > 0 {
			if works[0].waiting() == 0 {
				works = works[1:]
				continue
			}
			tasks = append(tasks, owned{works[0].Take(), works[0]})
		}
		if len(tasks) == 0 {
			return nil
		}
		refinements, err := r.draw(ctx, tasks)
		if err != nil || r.stopped {
			return err
		}
		r.count += len(tasks)
		r.options.Progress(r.count, nil)
		if len(refinements) == 0 {
			continue
		}
		if err := r.refine(ctx, refinements); err != nil {
			return err
		}
		for last := range slices.Chunk(refinements, r.options.AtOnce) {
			again := make([]owned, len(last))
			for i, f := range last {
				again[i] = owned{f.Redraw(), f.work}
			}
			if _, err := r.draw(ctx, again); err != nil || r.stopped {
				return err
			}
		}
	}
	return nil
}

// draw draws tasks in one batch and yields what is finished.
func (r *run) draw(ctx context.Context, tasks []owned) (begin []*Refinement, err error) {
	recipes := make([]*Recipe, len(tasks))
	for i, t := range tasks {
		recipes[i] = t.Recipe
	}
	pictures, err := Batch(ctx, r.models, recipes)
	if err != nil {
		return nil, err
	}
	for i, t := range tasks {
		finished, refinements := t.work.Put(t.Task, pictures[i])
		begin = append(begin, refinements...)
		for _, p := range finished {
			p.Request = p.Recipe.request
			if r.stopped = r.stopped || !r.yield(p, nil); r.stopped {
				return nil, nil
			}
		}
	}
	return begin, nil
}

// refine takes all steps of refinements, as many of them together as a batch holds. Those of one batch have one noise
// mode.
func (r *run) refine(ctx context.Context, refinements []*Refinement) error {
	all, done := 0, 0
	groups, order := map[NoiseMode][]*Refinement{}, []NoiseMode{}
	for _, f := range refinements {
		if all += f.steps; groups[f.noise] == nil {
			order = append(order, f.noise)
		}
		groups[f.noise] = append(groups[f.noise], f)
	}
	isDone := func(f *Refinement) bool { return f.Done() }
	for _, noise := range order {
		for part := range slices.Chunk(groups[noise], min(r.options.AtOnce, refineAtOnce)) {
			for left := part; len(left) > 0; left = slices.DeleteFunc(slices.Clone(left), isDone) {
				if err := Step(ctx, r.models[0].Networks, left); err != nil {
					return err
				}
				for _, f := range left {
					if f.rounds > 1 { // the first only judges
						done++
					}
				}
				if done > 0 {
					r.options.Progress(r.count, &Progress{"refine", done, all})
				}
			}
		}
	}
	return nil
}
