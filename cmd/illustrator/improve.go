package main

import (
	"context"
	"fmt"
	"time"

	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/models/pipeline"
	"illustrator/refine"
)

// improvement is what --best-of or --refine gained, and at what cost. A nil one, which was not asked for, collects nothing.
type improvement struct {
	Of      int             `json:"of"` // candidates a picture, or steps
	Before  *improvementSum `json:"before"`
	After   *improvementSum `json:"after"`
	Drawn   int             `json:"pictures_drawn"`
	Seconds float64         `json:"seconds"`
}

// improvementSum are the scores on one side of an improvement, and their means.
type improvementSum struct {
	eval.Summary
	// Semantic is the mean of eq. 9, with --refine.
	Semantic *float64 `json:"semantic_loss,omitempty"`

	texts  []texts.Text
	scores []eval.Score
}

func newImprovement(of int) *improvement {
	return &improvement{Of: of, Before: &improvementSum{}, After: &improvementSum{}}
}

func newAlbum(g generateOptions) *album {
	var a album
	if g.bestOf > 1 {
		a.bestOf = newImprovement(g.bestOf)
	}
	if g.refine > 0 {
		a.refined = newImprovement(g.refine)
	}
	return &a
}

func (s *improvementSum) add(drawn []*drawing) {
	for _, d := range drawn {
		s.texts, s.scores = append(s.texts, d.text), append(s.scores, d.score)
	}
}

func (i *improvement) before(drawn []*drawing, cost int) {
	if i != nil {
		i.Before.add(drawn)
		i.Drawn += cost
	}
}

func (i *improvement) after(drawn []*drawing) {
	if i != nil {
		i.After.add(drawn)
	}
}

// time adds the time since then: what was done for the improvement.
func (i *improvement) time(since time.Time) {
	if i != nil {
		i.Seconds += time.Since(since).Seconds()
	}
}

// summarize takes the means.
func (i *improvement) summarize() {
	if i != nil {
		i.Before.Summary = eval.Summarize(i.Before.texts, i.Before.scores)
		i.After.Summary = eval.Summarize(i.After.texts, i.After.scores)
	}
}

// line says what was gained in words, such as "Best of 8: CLIP similarity 0.510 → 0.541".
func (i *improvement) line(what string) string {
	line := fmt.Sprintf("%s: CLIP similarity %.3f → %.3f", what, i.Before.CLIPSimilarity, i.After.CLIPSimilarity)
	if i.Before.Semantic != nil {
		line += fmt.Sprintf(", eq. 9 %.3f → %.3f", *i.Before.Semantic, *i.After.Semantic)
	}
	if i.Before.AttributeAccuracy != nil {
		line += fmt.Sprintf(", named attributes found %.1f → %.1f %%", 100**i.Before.AttributeAccuracy, 100**i.After.AttributeAccuracy)
	}
	return line + fmt.Sprintf("; %d pictures drawn in %.1f s", i.Drawn, i.Seconds)
}

// refine moves the z of drawings down the gradient of eq. 9 and 10 and draws them anew.
func (a *album) refine(ctx context.Context, s *session, g generateOptions, request pipeline.Request, chosen []*drawing, note func(string)) error {
	defer a.refined.time(time.Now())
	r := refine.Request{
		Options:  refine.Options{NoiseMode: request.NoiseMode, LearningRate: refine.DefaultLearningRate, Regularization: refine.DefaultRegularization},
		Steps:    g.refine,
		Progress: func(done, total int) { note(fmt.Sprintf("refined by %d of %d steps", done*g.refine/total, g.refine)) },
	}
	for _, d := range chosen {
		r.Z, r.ImageEmbeds, r.Keys = append(r.Z, d.z...), append(r.ImageEmbeds, d.target...), append(r.Keys, d.seed)
	}
	result, err := refine.Refine(ctx, s.networks, r)
	if err != nil {
		return err
	}
	dim, before := s.networks.Generator.StyleDim, len(a.refined.Before.scores)
	a.refined.before(chosen, result.Drawn+len(chosen))
	for i, d := range chosen {
		d.z = result.Z[i*dim : (i+1)*dim]
		d.refined = &refined{Steps: g.refine, CLIPSimilarity: d.score.CLIPSimilarity, Before: result.Before[i], After: result.After[i]}
		a.refined.Before.Semantic = runningMean(a.refined.Before.Semantic, result.Before[i].Semantic, before+i)
		a.refined.After.Semantic = runningMean(a.refined.After.Semantic, result.After[i].Semantic, before+i)
	}
	styles, err := s.networks.Styles(ctx, result.Z, request.TruncationPsi)
	if err != nil {
		return err
	}
	request.Keys = r.Keys
	images, err := s.networks.Render(ctx, styles, request.Synthesis)
	if err != nil {
		return err
	}
	if err := look(ctx, s, chosen, images); err != nil {
		return err
	}
	a.refined.after(chosen)
	return nil
}

// runningMean returns the mean after a value that follows n others.
func runningMean(mean *float64, value float64, n int) *float64 {
	if mean != nil {
		value = *mean + (value-*mean)/float64(n+1)
	}
	return &value
}
