package serve

import (
	"fmt"

	"illustrator/data/storybook"
	"illustrator/draw"
	"illustrator/serve/gallery"
)

type storyRequest struct {
	Story string `json:"story"`
	Run   string `json:"run"`
	draw.Settings
	Cartoon string `json:"cartoon"`
	// OwnSeeds gives each paragraph the next seed; without it all share one, which keeps what the text does not name.
	OwnSeeds bool `json:"own_seeds"`
}

// told is a story as its page shows it.
type outline struct {
	Title      string `json:"title,omitempty"`
	Paragraphs []part `json:"paragraphs"` // one a picture
}

type part struct {
	Chapter string `json:"chapter,omitempty"`
	Text    string `json:"text"`
}

// planStory plans a picture of each paragraph.
func (s *Server) planStory(q storyRequest) (*work, error) {
	if n := len([]rune(q.Story)); n > s.Limits.Story {
		return nil, badField("story", fmt.Sprintf("it has %d characters", n), fmt.Sprintf("write at most %d", s.Limits.Story))
	}
	story, err := storybook.Parse("story.md", []byte(q.Story))
	if err != nil {
		return nil, problemOf(err).at("story")
	}
	n := len(story.Paragraphs)
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
	return s.illustrate(p, model, story, q)
}

// illustrate returns a plan for each paragraph, of as many of its first sentences as CLIP reads.
func (s *Server) illustrate(p draw.Plan, model int, story storybook.Story, q storyRequest) (*work, error) {
	m, planned := s.Models[model], &work{story: &outline{Title: story.Title}}
	fits := func(text string) bool {
		return len([]rune(text)) <= s.Limits.Text && m.Tokenizer.Encode(text).Lost == ""
	}
	for i, paragraph := range story.Paragraphs {
		kept, left := storybook.Reduce(paragraph.Text, fits)
		text, problem := s.checkText("story", kept)
		if problem != nil {
			return nil, problem
		}
		recipe := p.Recipes(model, text)[0]
		if q.OwnSeeds {
			recipe.Seed += uint64(i)
		}
		next, err := s.plan(recipe, q.Cartoon)
		if err != nil {
			return nil, err
		}
		next.record.Kind, next.cut = gallery.Story, left
		planned.plans = append(planned.plans, next)
		planned.story.Paragraphs = append(planned.story.Paragraphs, part{paragraph.Chapter, paragraph.Text})
	}
	return planned, nil
}
