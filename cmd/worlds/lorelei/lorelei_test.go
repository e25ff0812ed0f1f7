package lorelei

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/scene/scenetest"
)

func TestDomain(t *testing.T) { scenetest.Check(t, Domain{}) }

type golden struct {
	Z, Continuous [][]float32
	Values        [][]int
	Rotation      []float64
}

// readGolden reads what testdata/make_oracle.py wrote, and returns the domain's map from z too.
func readGolden(t *testing.T) (golden, *scene.Latent) {
	t.Helper()
	data, err := os.ReadFile("testdata/oracle.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	latent, err := scene.NewLatent(Domain{})
	if err != nil {
		t.Fatal(err)
	}
	return g, latent
}

// TestOracle compares the map from z with PyTorch's, by which the embedded networks were trained.
func TestOracle(t *testing.T) {
	g, latent := readGolden(t)
	for i, want := range g.Rotation {
		// Processors with a fused multiply-add round the products of Gram-Schmidt otherwise.
		if got := latent.Rotation[i][0]; math.Abs(got-want) > 1e-12 {
			t.Errorf("rotation: row %d begins with %v, want %v", i, got, want)
		}
	}
	for i, z := range g.Z {
		got := latent.Scene(z)
		for k, want := range g.Values[i] {
			if got.Values[k] != want {
				t.Errorf("z %d: %s %d, want %d", i, attributes[k].Name, got.Values[k], want)
			}
		}
		for k, want := range g.Continuous[i] {
			if math.Abs(float64(got.Continuous[k]-want)) > 1e-5 {
				t.Errorf("z %d: %s %v, want %v", i, variations[k].Name, got.Continuous[k], want)
			}
		}
	}
}

// TestPictures compares renders of the same z with those of the renderer that made the embedded networks' pictures. It
// left some outlines open, which gave streaks of a few levels.
func TestPictures(t *testing.T) {
	g, latent := readGolden(t)
	file, err := os.Open("testdata/pictures.png")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sheet, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	const count, size = 32, 64
	for i := range count {
		picture := Domain{}.Render(latent.Scene(g.Z[i]), size)
		sum, worst := 0, 0
		for y := range size {
			for x := range size {
				r, g, b, _ := sheet.At(i%8*size+x, i/8*size+y).RGBA()
				at := picture.NRGBAAt(x, y)
				for _, d := range [3]int{int(r>>8) - int(at.R), int(g>>8) - int(at.G), int(b>>8) - int(at.B)} {
					sum, worst = sum+max(d, -d), max(worst, d, -d)
				}
			}
		}
		if mean := float64(sum) / (3 * size * size); mean > 1 || worst > 64 {
			t.Errorf("picture %d: mean difference %.2f, worst %d; at most 1 and 64", i, mean, worst)
		}
	}
}

// TestCaptions checks that captions name what is visible, and that the words for concepts occur.
func TestCaptions(t *testing.T) {
	words := scenetest.Captions(t, Domain{}, 20000, func(s scene.Scene, text string) {
		if !(Domain{}).Visible(s, mouth) && strings.Contains(text, "smil") {
			t.Errorf("%q names the mouth behind a beard", text)
		}
		if !(Domain{}).Visible(s, eyes) && (strings.Contains(text, "eyes") || strings.Contains(text, "sleep")) {
			t.Errorf("%q names the eyes behind sunglasses", text)
		}
	})
	for _, word := range []string{"wizard", "clown", "pigtails", "mohawk", "elderly", "spectacles", "asleep"} {
		if words[word] < 5 {
			t.Errorf("%q occurs %d times in 20,000 captions", word, words[word])
		}
	}
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
	scenetest.Descriptions(t, Domain{}, "../../../configs/domains/lorelei/descriptions.json")
}
