package pytools

import (
	"slices"
	"strings"
)

// RandomTexts makes the random texts of random_texts.py. The lists are those of a golden.
type RandomTexts struct {
	Words, Spaces, Pieces []string
	Limits                []uint64
	Ranges                [][2]uint64

	Seed               uint64 `json:"-"`
	Word, Piece, Space int    `json:"-"` // per cent, as in the script
}

// below is splitmix64, modulo n.
func (r *RandomTexts) below(n int) int {
	r.Seed += 0x9e3779b97f4a7c15
	z := r.Seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

func (r *RandomTexts) character() string {
	for {
		c := uint64(r.below(int(r.Limits[r.below(len(r.Limits))])))
		if slices.ContainsFunc(r.Ranges, func(of [2]uint64) bool { return of[0] <= c && c <= of[1] }) {
			return string(rune(c))
		}
	}
}

// Text makes the next text.
func (r *RandomTexts) Text() string {
	pick := func(list []string) string { return list[r.below(len(list))] }
	var b strings.Builder
	for range 1 + r.below(6) {
		switch kind := r.below(100); {
		case kind < r.Word:
			b.WriteString(pick(r.Words))
		case kind < r.Piece:
			b.WriteString(pick(r.Pieces))
		default:
			for range 1 + r.below(3) {
				b.WriteString(r.character())
			}
		}
		if r.below(100) < r.Space {
			b.WriteString(pick(r.Spaces))
		}
	}
	return b.String()
}
