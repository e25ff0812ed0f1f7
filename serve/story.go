package serve

import (
	"fmt"

	"illustrator/data/storybook"
	"illustrator/serve/gallery"
)

type storyRequest struct {
	Story string `json:"story"`
	Run   string `json:"run"`
	settings
	// OwnSeeds gives each paragraph the next seed; without it all share one, which keeps what the text does not name.
	OwnSeeds bool `json:"own_seeds"`
}

// told is a story as its page shows it.
type told struct {
	Title      string      `json:"title,omitempty"`
	Paragraphs []paragraph `json:"paragraphs"` // one a picture
}

type paragraph struct {
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
		return nil, badField("story", fmt.Sprintf("it has %d paragraphs", n), fmt.Sprintf("write at most %d", s.Limits.Pictures))
	}
	model, err := s.model("run", q.Run)
	if err != nil {
		return nil, err
	}
	base, err := q.plan(s, model)
	if err != nil {
		return nil, err
	}
	base.record.Kind = gallery.Story
	return s.illustrate(base, story, q)
}

// illustrate returns a plan for each paragraph, of as many of its first sentences as CLIP reads.
func (s *Server) illustrate(base plan, story storybook.Story, q storyRequest) (*work, error) {
	m, shown := s.Models[base.draw.Model], &told{Title: story.Title}
	fits := func(text string) bool {
		return len([]rune(text)) <= s.Limits.Text && m.Tokenizer.Encode(text).Lost == ""
	}
	var plans []plan
	for i, p := range story.Paragraphs {
		kept, left := storybook.Reduce(p.Text, fits)
		text, problem := s.checkText("story", kept)
		if problem != nil {
			return nil, problem
		}
		seed := q.Seed
		if q.OwnSeeds {
			seed += uint64(i)
		}
		next := base.of(m, text, seed)
		next.cut = left
		plans, shown.Paragraphs = append(plans, next), append(shown.Paragraphs, paragraph{p.Chapter, p.Text})
	}
	return &work{plans: plans, story: shown}, nil
}
