package serve

import (
	"fmt"
	"net/http"
	"strings"

	"illustrator/serve/gallery"
)

type storyRequest struct {
	Story string `json:"story"`
	Run   string `json:"run"`
	settings
	// OwnSeeds gives each paragraph the next seed; without it all share one, which keeps what the text does not name.
	OwnSeeds bool `json:"own_seeds"`
}

// story draws a picture of each paragraph.
func (s *Server) story(w http.ResponseWriter, r *http.Request) {
	var q storyRequest
	err := readJSON(w, r, &q)
	if err == nil {
		var plans []plan
		if plans, err = s.planStory(q); err == nil {
			paragraphs := make([]string, len(plans))
			for i, p := range plans {
				paragraphs[i] = p.draw.Text
			}
			s.draw(w, r, plans, paragraphs)
			return
		}
	}
	s.fail(w, r, err)
}

func (s *Server) planStory(q storyRequest) ([]plan, error) {
	if n := len([]rune(q.Story)); n > s.Limits.Story {
		return nil, badField("story", fmt.Sprintf("it has %d characters", n), fmt.Sprintf("write at most %d", s.Limits.Story))
	}
	paragraphs := parseStory(q.Story)
	if len(paragraphs) == 0 || len(paragraphs) > s.Limits.Pictures {
		return nil, badField("story", fmt.Sprintf("it has %d paragraphs", len(paragraphs)),
			fmt.Sprintf("write 1 to %d, with an empty line between two", s.Limits.Pictures))
	}
	if q.Seed > maxSeed-uint64(len(paragraphs)) {
		return nil, badField("seed", fmt.Sprintf("it is %d", q.Seed), fmt.Sprintf("the last picture's may be %d at most", uint64(maxSeed)))
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
	var plans []plan
	for i, paragraph := range paragraphs {
		text, p := s.checkText("story", paragraph)
		if p != nil {
			return nil, p
		}
		seed := q.Seed
		if q.OwnSeeds {
			seed += uint64(i)
		}
		plans = append(plans, base.of(s.Models[model], text, seed))
	}
	return plans, nil
}

func parseStory(text string) (paragraphs []string) {
	for _, p := range strings.Split(text, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			paragraphs = append(paragraphs, p)
		}
	}
	return paragraphs
}
