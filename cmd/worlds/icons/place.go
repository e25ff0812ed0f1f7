package icons

import (
	"image"
	"image/color"
	"math/rand/v2"
	"strings"

	"golang.org/x/image/draw"

	"illustrator/cmd/worlds/caption"
	"illustrator/cmd/worlds/scene"
	"illustrator/internal/fault"
)

// backgrounds are the colors that icons stand on, with their names.
var backgrounds = []struct {
	name  string
	color color.RGBA
}{
	{"white", color.RGBA{252, 252, 252, 255}}, {"white", color.RGBA{240, 240, 236, 255}},
	{"black", color.RGBA{24, 24, 28, 255}},
	{"grey", color.RGBA{150, 152, 156, 255}}, {"red", color.RGBA{205, 48, 48, 255}},
	{"orange", color.RGBA{245, 160, 70, 255}},
	{"yellow", color.RGBA{248, 214, 80, 255}}, {"green", color.RGBA{120, 190, 110, 255}},
	{"blue", color.RGBA{90, 150, 230, 255}},
	{"light blue", color.RGBA{170, 215, 245, 255}}, {"purple", color.RGBA{160, 120, 210, 255}},
	{"pink", color.RGBA{248, 175, 200, 255}},
	{"brown", color.RGBA{140, 96, 60, 255}},
}

// A placement is how a picture shows an icon.
type placement struct {
	icon       *icon
	background int
	box        image.Rectangle
}

// place returns the placement of a row: equal seeds and rows give equal placements.
func (s *Set) place(row int) placement {
	random := scene.Random(s.seed, row)
	side := s.size*55/100 + random.IntN(s.size*45/100+1)
	x, y := random.IntN(s.size-side+1), random.IntN(s.size-side+1)
	return placement{
		icon: &s.icons[row%len(s.icons)], background: random.IntN(len(backgrounds)), box: image.Rect(x, y, x+side, y+side),
	}
}

// Pictures draws pictures, [len(rows), size, size, 3] in 0 to 255.
func (s *Set) Pictures(rows []int) ([]uint8, error) {
	pixels := make([]uint8, 0, len(rows)*s.size*s.size*3)
	picture := image.NewRGBA(image.Rect(0, 0, s.size, s.size))
	for _, row := range rows {
		if row < 0 || row >= s.rows {
			return nil, fault.Field("row", row, "0 to %d", s.rows-1)
		}
		p := s.place(row)
		draw.Draw(picture, picture.Rect, image.NewUniform(backgrounds[p.background].color), image.Point{}, draw.Src)
		draw.BiLinear.Scale(picture, p.box, p.icon.image, p.icon.image.Rect, draw.Over, nil)
		for i := 0; i < len(picture.Pix); i += 4 {
			pixels = append(pixels, picture.Pix[i:i+3]...)
		}
	}
	return pixels, nil
}

// Caption names the icon of a picture by its name or some of its tags, and its color and the background at times.
func (s *Set) Caption(row int, random *rand.Rand) string {
	p := s.place(row)
	noun := p.icon.label
	if len(p.icon.tags) > 0 {
		switch caption.Pick(random, 0, 0, 0, 0, 1, 1, 2) {
		case 1:
			noun = caption.Pick(random, p.icon.tags...)
		case 2:
			noun += ", " + caption.Pick(random, p.icon.tags...) + ", " + caption.Pick(random, p.icon.tags...)
		}
	}
	if p.icon.color != "" && caption.Chance(random, 0.3) {
		noun = p.icon.color + " " + noun
	}
	var phrases []caption.Phrase
	if caption.Chance(random, 0.3) {
		phrases = append(phrases, caption.Word("on a "+backgrounds[p.background].name+" background"))
	}
	return caption.Sentence(random, noun, phrases, "picture of", "drawing of", "icon of", "cartoon of")
}

// clean returns a name in small letters, without signs that are not part of words.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`"“”():!?*#|/_-`, r):
			return ' '
		case r == '’':
			return '\''
		}
		return r
	}, strings.ToLower(name))
	return strings.Join(strings.Fields(name), " ")
}

// cleanAll returns the cleaned names that are left, without duplicates of one letter.
func cleanAll(names []string) []string {
	var words []string
	for _, name := range names {
		if name = clean(name); len(name) > 1 {
			words = append(words, name)
		}
	}
	return words
}
