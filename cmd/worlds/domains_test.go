package main

import (
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/configs"
)

// TestDomains checks that each domain's map from z exists, and that no caption equals a description that judges it.
func TestDomains(t *testing.T) {
	for _, d := range domains {
		latent, err := scene.NewLatent(d)
		if err != nil {
			t.Fatal(err)
		}
		descriptions, err := configs.EmbeddedDescriptions(d.Name())
		if err != nil {
			t.Fatal(err)
		}
		kept := make(map[string]bool)
		for _, text := range descriptions {
			kept[strings.ToLower(strings.TrimRight(text.Text, "."))] = true
		}
		for i := range 5000 {
			caption := d.Caption(latent.Sample(1, i).Scene, scene.Random(2, i))
			if kept[strings.ToLower(strings.TrimRight(caption, "."))] {
				t.Errorf("%s: caption %q is kept to judge by", d.Name(), caption)
			}
		}
	}
}
