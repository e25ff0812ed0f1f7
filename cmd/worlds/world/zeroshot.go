package world

import (
	"context"
	"fmt"
	"slices"

	"illustrator/cmd/worlds/scene"
)

// Captions of a value are those of scenes that differ in that value alone, drawn with the same random numbers.
// Scenes whose captions do not name the attribute give equal captions, and are left out.
const (
	captionsOfValue = 40  // at most
	scenesTried     = 600 // to find them
)

// zeroShot classifies pictures by the nearest of the mean texts of an attribute's values, for each attribute.
// embeds are those of the pictures rows.
func (e *embedder) zeroShot(ctx context.Context, r *Renders, rows []int, embeds [][]float64) (all []Accuracy,
	err error) {
	for k, a := range r.Domain.Attributes() {
		captions := valueCaptions(r, k)
		if len(captions[0]) == 0 {
			return nil, fmt.Errorf("the captions of %s do not name %s", r.Domain.Name(), a.Name)
		}
		classes := make([][]float64, len(a.Values))
		for v, texts := range captions {
			own, err := e.texts(ctx, texts)
			if err != nil {
				return nil, err
			}
			classes[v] = unitMean(own)
		}
		accuracy := Accuracy{Attribute: a.Name}
		for i, row := range rows {
			s := r.Sample(row).Scene
			if !r.Domain.Visible(s, k) {
				continue
			}
			accuracy.Pictures++
			best := 0
			for v := range classes {
				if dot(embeds[i], classes[v]) > dot(embeds[i], classes[best]) {
					best = v
				}
			}
			if best == s.Values[k] {
				accuracy.Share++
			}
		}
		accuracy.Share /= float64(max(1, accuracy.Pictures))
		all = append(all, accuracy)
	}
	return all, nil
}

// valueCaptions returns captions for each value of attribute k that differ in that value alone.
func valueCaptions(r *Renders, k int) [][]string {
	values := len(r.Domain.Attributes()[k].Values)
	captions := make([][]string, values)
	for i := range scenesTried {
		s := r.Latent.Sample(r.Seed+50, i).Scene
		texts := make([]string, values)
		distinct, visible := map[string]bool{}, true
		for v := range texts {
			s.Values = slices.Clone(s.Values)
			s.Values[k] = v
			texts[v] = r.Domain.Caption(s, scene.Random(r.Seed+51, i))
			distinct[texts[v]] = true
			visible = visible && r.Domain.Visible(s, k)
		}
		if len(distinct) < values || !visible || len(captions[0]) == captionsOfValue {
			continue
		}
		for v, text := range texts {
			captions[v] = append(captions[v], text)
		}
	}
	return captions
}
