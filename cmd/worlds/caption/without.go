package caption

import (
	"math/rand/v2"
	"strings"

	"illustrator/cmd/worlds/scene"
)

// Without returns the domain with captions that differ from all given texts, which are kept to judge by. Case and the
// full stop make no difference.
func Without(d scene.Domain, texts []string) scene.Domain {
	kept := make(map[string]bool)
	for _, text := range texts {
		kept[plain(text)] = true
	}
	return without{d, kept}
}

type without struct {
	scene.Domain
	texts map[string]bool
}

// Caption returns a caption that is not among the texts.
func (w without) Caption(s scene.Scene, random *rand.Rand) string {
	for {
		if text := w.Domain.Caption(s, random); !w.texts[plain(text)] {
			return text
		}
	}
}

func plain(text string) string {
	return strings.ToLower(strings.TrimRight(strings.TrimSpace(text), "."))
}
