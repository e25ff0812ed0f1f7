package whiskers

import (
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/scene/scenetest"
)

func TestDomain(t *testing.T) { scenetest.Check(t, Domain{}) }

// TestCaptions checks that captions name no color of closed eyes, and the right hats and colors.
func TestCaptions(t *testing.T) {
	scenetest.Captions(t, Domain{}, 8000, func(s scene.Scene, text string) {
		for _, wrong := range []struct {
			word string
			is   bool
		}{
			{"green eyes", value(s, eyes) != "closed" && value(s, eyeColor) == "green"},
			{"closed eyes", value(s, eyes) != "wide"},
			{"witch hat", value(s, hat) == "witch hat"},
			{"crown", value(s, hat) == "crown"},
			{"chubby", value(s, build) == "fat"},
			{"ginger", value(s, coat) == "orange"},
			{"purple wall", value(s, wall) == "purple"},
			{"pumpkin", value(s, beside) == "pumpkin"},
		} {
			if strings.Contains(text, wrong.word) && !wrong.is {
				t.Errorf("%q: %v", text, s.Values)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	latent, err := scene.NewLatent(Domain{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		Domain{}.Render(latent.Sample(1, i).Scene, 64)
	}
}

func TestDescriptions(t *testing.T) {
	scenetest.Descriptions(t, Domain{}, "../../../configs/domains/whiskers/descriptions.json")
}
