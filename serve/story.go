package serve

import (
	"errors"
	"fmt"

	"illustrator/data/storybook"
	"illustrator/draw"
	"illustrator/draw/story"
	"illustrator/serve/gallery"
)

type storyRequest struct {
	Story string `json:"story"`
	Run   string `json:"run"`
	draw.Settings
	Cartoon string `json:"cartoon"`
	// OwnSeeds gives each paragraph the next seed; without it all share one, which keeps what the text does not name.
	OwnSeeds bool `json:"own_seeds"`
	// Character precedes the description of each picture.
	Character string `json:"character"`
}

// written is a story as its page shows it.
type outline struct {
	Title      string `json:"title,omitempty"`
	Paragraphs []part `json:"paragraphs"` // one a picture
}

type part struct {
	Chapter string `json:"chapter,omitempty"`
	Text    string `json:"text"`
}

// planStory plans a picture of each paragraph.
func (s *studio) planStory(q storyRequest) (*work, error) {
	if n := len([]rune(q.Story)); n > s.Limits.Story {
		return nil, badField("story", fmt.Sprintf("it has %d characters", n), fmt.Sprintf("write at most %d", s.Limits.Story))
	}
	if q.Character != "" {
		if _, p := s.checkText("character", q.Character); p != nil {
			return nil, p
		}
	}
	written, err := storybook.Parse("story.md", []byte(q.Story))
	if err != nil {
		return nil, problemOf(err).at("story")
	}
	n := len(written.Paragraphs)
	if n > s.Limits.Pictures {
		return nil, badField("story", fmt.Sprintf("it has %d paragraphs", n),
			fmt.Sprintf("write at most %d", s.Limits.Pictures))
	}
	model, err := s.model("run", q.Run)
	if err != nil {
		return nil, err
	}
	p, err := s.Models[model].Plan(draw.Spec{Settings: q.Settings}, s.limits())
	if err != nil {
		return nil, err
	}
	return s.illustrate(p, model, written, q)
}

// illustrate returns a plan for each paragraph.
func (s *studio) illustrate(p draw.Plan, model int, written storybook.Story, q storyRequest) (*work, error) {
	planned := &work{story: &outline{Title: written.Title}}
	descriptions, err := story.Descriptions(s.Models[model].Tokenizer, written, q.Character, s.Limits.Text)
	var long *story.LongCharacter
	switch {
	case errors.As(err, &long):
		return nil, badField("character", "it leaves no room for a paragraph", "describe the character in fewer words")
	case err != nil:
		return nil, problemOf(err).at("story")
	}
	for i, paragraph := range written.Paragraphs {
		recipe := p.Recipes(model, descriptions[i].Text)[0]
		if q.OwnSeeds {
			recipe.Seed += uint64(i)
		}
		next, err := s.plan(recipe, q.Cartoon)
		if err != nil {
			return nil, err
		}
		next.record.Kind, next.cut = gallery.Story, descriptions[i].Left
		planned.plans = append(planned.plans, next)
		planned.story.Paragraphs = append(planned.story.Paragraphs, part{paragraph.Chapter, paragraph.Text})
	}
	return planned, nil
}
