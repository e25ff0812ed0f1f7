package chapel

import (
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/scene/scenetest"
)

func TestDomain(t *testing.T) { scenetest.Check(t, Domain{}) }

// TestCaptions checks that captions describe towers where there are some, and colors that are seen.
func TestCaptions(t *testing.T) {
	scenetest.Captions(t, Domain{}, 8000, func(s scene.Scene, text string) {
		if value(s, towers) == "none" {
			for _, word := range []string{"dome", "spire", "steeple", "two towers", "tall"} {
				if strings.Contains(text, word) {
					t.Errorf("%q describes towers of a church without", text)
				}
			}
		}
		if value(s, style) == "wooden" && (strings.Contains(text, "brick") || strings.Contains(text, "stone walls")) {
			t.Errorf("%q names stones of a wooden church", text)
		}
		if value(s, roof) != "blue" && strings.Contains(text, "blue roof") {
			t.Errorf("%q: the roof is %s", text, value(s, roof))
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
	scenetest.Descriptions(t, Domain{}, "../../../configs/domains/chapel/descriptions.json")
}
