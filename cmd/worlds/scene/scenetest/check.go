package scenetest

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"illustrator/cmd/worlds/scene"
)

// size is the height and width in pixels of the pictures that Check renders.
const size = 64

// Check holds a domain to what scene.Domain promises: equal scenes give equal pixels, in concurrent calls too; each
// visible value and each variation changes the picture; captions of equal random numbers are equal.
func Check(t *testing.T, d scene.Domain) {
	t.Helper()
	latent, err := scene.NewLatent(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("deterministic", func(t *testing.T) { checkDeterministic(t, d, latent) })
	t.Run("values", func(t *testing.T) { checkValues(t, d, latent) })
	t.Run("variations", func(t *testing.T) { checkVariations(t, d, latent) })
}

func checkDeterministic(t *testing.T, d scene.Domain, latent *scene.Latent) {
	const count = 40
	pixels, captions := make([][]byte, count), make([]string, count)
	for i := range count {
		sample := latent.Sample(1, i)
		if err := scene.Validate(d, sample.Scene); err != nil {
			t.Fatal(err)
		}
		pixels[i] = d.Render(sample.Scene, size).Pix
		captions[i] = d.Caption(sample.Scene, scene.Random(2, i))
		for p := 3; p < len(pixels[i]); p += 4 {
			if pixels[i][p] != 255 {
				t.Fatalf("picture %d: pixel %d is not opaque", i, p/4)
			}
		}
	}
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() {
			sample := latent.Sample(1, i)
			if !bytes.Equal(d.Render(sample.Scene, size).Pix, pixels[i]) {
				t.Errorf("picture %d differs in a second rendering", i)
			}
			if again := d.Caption(sample.Scene, scene.Random(2, i)); again != captions[i] {
				t.Errorf("caption %d: %q, then %q", i, captions[i], again)
			}
		})
	}
	group.Wait()
}

// checkValues changes one attribute of random scenes to each of its values: where both are visible,
// the pictures differ.
func checkValues(t *testing.T, d scene.Domain, latent *scene.Latent) {
	for k, a := range d.Attributes() {
		compared := 0
		for i := range 6 {
			s := latent.Sample(3, i).Scene
			var pictures [][]byte
			for v := range a.Values {
				s.Values = slices.Clone(s.Values)
				s.Values[k] = v
				if !d.Visible(s, k) {
					continue
				}
				picture := d.Render(s, size).Pix
				for _, other := range pictures {
					compared++
					if near(picture, other) {
						t.Errorf("scene %d: %s %q looks like an earlier value", i, a.Name, a.Values[v])
					}
				}
				pictures = append(pictures, picture)
			}
		}
		if compared == 0 {
			t.Errorf("%s was visible in no scene", a.Name)
		}
	}
}

// near reports whether fewer than six pixels of two pictures differ visibly.
func near(a, b []byte) bool {
	different := 0
	for p := 0; p < len(a); p += 4 {
		far := 0
		for c := range 3 {
			far = max(far, int(a[p+c])-int(b[p+c]), int(b[p+c])-int(a[p+c]))
		}
		if far >= 24 {
			different++
		}
	}
	return different < 6
}

func checkVariations(t *testing.T, d scene.Domain, latent *scene.Latent) {
	for k, v := range d.Continuous() {
		different := false
		for i := range 40 {
			s := latent.Sample(4, i).Scene
			s.Continuous[k] = 1
			high := d.Render(s, size).Pix
			s.Continuous[k] = -1
			different = different || !bytes.Equal(high, d.Render(s, size).Pix)
		}
		if !different {
			t.Errorf("variation %s changes no picture", v.Name)
		}
	}
}
