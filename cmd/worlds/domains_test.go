package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/configs"
	"illustrator/internal/fault"
)

// TestDomains checks that each domain's map from z exists, and that no caption equals a description that judges it.
func TestDomains(t *testing.T) {
	for _, d := range domains {
		latent, err := scene.NewLatent(d)
		if err != nil {
			t.Fatal(err)
		}
		descriptions, _, err := configs.EmbeddedDescriptions(d.Name())
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

func TestSheet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sheet.png")
	s := sheet{count: 2, columns: 3, size: 16, path: path}
	if err := s.draw(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := png.DecodeConfig(file); err != nil || got.Width < 3*128 {
		t.Errorf("sheet of %d pixels, error %v", got.Width, err)
	}
	s.columns = 0
	if err := s.draw(); err == nil || !strings.Contains(err.Error(), "--columns") {
		t.Errorf("error %v for 0 columns", err)
	}
	s = sheet{options: options{domains: []string{"dogs"}}, count: 1, columns: 1, size: 16, path: path}
	if err := s.draw(); err == nil || !strings.Contains(fault.HintOf(err), "chapel") {
		t.Errorf("error %v for an unknown domain", err)
	}
}
