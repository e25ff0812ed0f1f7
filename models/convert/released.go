package convert

import (
	"fmt"
	"slices"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// recognizeReleased tells an image prompt, one tensor [1,E], and a file of pairs; "" for others.
func recognizeReleased(w *checkpoints.Weights) Kind {
	rows := func(name string) int {
		if shape := w.Tensors[name].Shape; len(shape) == 2 {
			return shape[0]
		}
		return -1
	}
	z, embeds := checkpoints.ReleasedZ, checkpoints.ReleasedEmbeds
	if n := rows(z); n >= 0 && n == rows(embeds) && len(w.Tensors) == 2 {
		return ReleasedPairs
	}
	if names := w.Names(); len(names) == 1 && rows(names[0]) == 1 {
		return ReleasedPrompt
	}
	return ""
}

// loadReleased describes a prompt or pairs. To convert them is an error, which names the command that takes them.
func (s *source) loadReleased() (*network, error) {
	w, err := s.stateDict().Headers("")
	if err != nil {
		return nil, err
	}
	n := &network{weights: w}
	hint, code := "name it as the domain's prompts", PromptFile
	if s.kind == ReleasedPairs {
		z, embeds := w.Tensors[checkpoints.ReleasedZ].Shape, w.Tensors[checkpoints.ReleasedEmbeds].Shape
		n.describe = fmt.Sprintf("%d pairs, z of %d, embedding of %d", z[0], z[1], embeds[1])
		hint, code = "import it as a set of pairs", PairsFile
	} else {
		n.describe = fmt.Sprintf("embedding of %d", slices.Max(w.Tensors[w.Names()[0]].Shape))
	}
	if !s.headers {
		return nil, fault.WithCode(fault.Hint(fmt.Errorf("%s: it is not a network", s.path), "%s", hint), code)
	}
	return n, nil
}
