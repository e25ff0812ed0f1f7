package seeds

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/internal/fault"
)

// A seed's z must never change: pictures are found again by their seeds.
func TestZIsPinned(t *testing.T) {
	for seed, want := range map[uint64][]float32{
		0:              {0.14808579, -0.08876657, 0.09899104, -0.4551394},
		1:              {0.1441306, 0.61580926, 0.043470394, 0.51739615},
		math.MaxUint64: {-0.45006195, -0.06438029, -0.68464845, -0.9845861},
	} {
		if got := Z(seed, 4); !slices.Equal(got, want) {
			t.Errorf("Z(%d, 4) = %v; want %v", seed, got, want)
		}
		if !slices.Equal(Z(seed, 4), Z(seed, 512)[:4]) {
			t.Errorf("Z(%d, 4) does not begin Z(%d, 512)", seed, seed)
		}
	}
}

// Neighbouring seeds must give independent normal values: each statistic below is standard normal then, so 5 is far
// out.
func TestZIsStandardNormal(t *testing.T) {
	const rows, dim = 4000, 32
	z := make([][]float32, rows)
	for i := range z {
		z[i] = Z(uint64(i), dim)
	}
	for d := range dim {
		var mean, variance, neighbours float64
		for i := range z {
			v := float64(z[i][d])
			mean += v
			variance += v*v - 1
			neighbours += v * float64(z[(i+1)%rows][d])
		}
		for name, s := range map[string]float64{"mean": mean / math.Sqrt(rows), "variance": variance / math.Sqrt(2*rows),
			"correlation of neighbouring seeds": neighbours / math.Sqrt(rows)} {
			if math.Abs(s) > 5 {
				t.Errorf("dimension %d: %s is %.1f standard deviations from that of N(0, I)", d, name, s)
			}
		}
	}
}

func TestParseSeeds(t *testing.T) {
	for list, want := range map[string][]uint64{
		"0":                    {0},
		"0,1,4-6":              {0, 1, 4, 5, 6},
		" 7 , 3 - 5 ":          {7, 3, 4, 5},
		"9-9":                  {9},
		"18446744073709551615": {math.MaxUint64},
		"18446744073709551614-18446744073709551615": {math.MaxUint64 - 1, math.MaxUint64},
	} {
		if got, err := Parse(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseSeeds(%q) = %v, %v; want %v", list, got, err, want)
		}
	}
	if got, err := Parse("0-99999"); err != nil || len(got) != Max {
		t.Errorf("ParseSeeds of %d seeds: %d, %v", Max, len(got), err)
	}
	for list, want := range map[string]string{
		"":                       "an item is empty",
		"1,,2":                   "an item is empty",
		"1,2,":                   "an item is empty",
		"x":                      `"x" is not a whole number`,
		"-1":                     `"" is not a whole number`,
		"1.5":                    `"1.5" is not a whole number`,
		"1-2-3":                  `"2-3" is not a whole number`,
		"6-4":                    `the range "6-4" runs backwards`,
		"18446744073709551616":   "is larger than 18446744073709551615",
		"0-100000":               "more than 100000 seeds",
		"0-18446744073709551615": "more than 100000 seeds",
		"0-99999,200000":         "more than 100000 seeds",
		"1,2,0-3":                "1 is given twice",
	} {
		_, err := Parse(list)
		if err == nil || !strings.Contains(err.Error(), want) || !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("ParseSeeds(%q): %v; want a usage error with %q and a hint", list, err, want)
		}
	}
}

// Any list of distinct seeds, written as ranges where they run on, reads back as it was.
func TestParseSeedsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 50), 1, 40, rapid.ID[uint64]).Draw(t, "seeds")
		var items []string
		for i := 0; i < len(want); {
			j := i + 1
			for j < len(want) && want[j] == want[j-1]+1 {
				j++
			}
			item := fmt.Sprint(want[i])
			if j-i > 1 {
				item = fmt.Sprintf("%d-%d", want[i], want[j-1])
			}
			items, i = append(items, item), j
		}
		list := strings.Join(items, ",")
		if got, err := Parse(list); err != nil || !slices.Equal(got, want) {
			t.Fatalf("ParseSeeds(%q) = %v, %v; want %v", list, got, err, want)
		}
	})
}
