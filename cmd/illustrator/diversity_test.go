package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"illustrator/data/pictures"
	"illustrator/eval"
	"illustrator/internal/fault"
)

// samePicture is the scripts' command `same-picture A B`: it fails where the files' pictures differ by more than a step of
// 255, as what went through other programs may.
func samePicture() {
	a, err := pictures.Read(context.Background(), os.Args[1])
	b, err2 := pictures.Read(context.Background(), os.Args[2])
	if err != nil || err2 != nil || len(a.Pixels) != len(b.Pixels) {
		fmt.Fprintln(os.Stderr, err, err2, len(a.Pixels), len(b.Pixels))
		os.Exit(1)
	}
	for i, v := range a.Pixels {
		if d := v - b.Pixels[i]; d > 1.01*2/255 || d < -1.01*2/255 {
			fmt.Fprintf(os.Stderr, "value %d: %g and %g\n", i, v, b.Pixels[i])
			os.Exit(1)
		}
	}
}

// What the flags of generate become, or the flag that their error names.
func TestResolveDiversity(t *testing.T) {
	for flags, want := range map[string]string{
		"":                            "noise 0 0 0",
		"--seeds 4,2":                 "noise 4,2 0 0",
		"--inject-index 3":            "style 0 3 0",
		"--count 3":                   "z 0-2 0 0.4",
		"--count 3 --seed 9":          "z 9-11 0 0.4",
		"--seed 9":                    "noise 9 0 0",
		"--best-of 4 --count 2":       "z 0-7 0 0.4",
		"--diversity style":           "style 0 1 0",
		"--seeds 0-3 --spread 1":      "z 0-3 0 1",
		"--diversity noise":           "noise 0 0 0",
		"--count 2 --refine 5":        "z 0-1 0 0.4",
		"--seed 18446744073709551615": "noise 18446744073709551615 0 0",

		"--seeds 1 --count 2":                            "!--seeds and --count",
		"--seeds 1 --seed 2":                             "!--seeds and --seed",
		"--seeds 1 --best-of 2":                          "!--seeds and --best-of",
		"--count 0":                                      "!--count is 0",
		"--best-of -1":                                   "!--best-of is -1",
		"--count 1000 --best-of 101":                     "!101000 seeds",
		"--count 2 --seed 18446744073709551615":          "!2 seeds from",
		"--diversity faces":                              `!--diversity "faces"`,
		"--diversity noise --spread 0.5":                 "!--spread with",
		"--diversity z --inject-index 2":                 "!--inject-index with",
		"--diversity style --inject-index 0":             "!--inject-index 0",
		"--diversity z --spread 0":                       "!--spread is 0",
		"--spread NaN":                                   "!--spread is NaN",
		"--count 2 --diversity noise --noise-mode const": "!--diversity noise with --noise-mode const",
		"--refine -1":                                    "!--refine is -1",
		"--refine 5 --inject-index 2":                    "!--refine with styles",
		"--refine 5 --truncation-psi 0.5":                "!--refine with --truncation-psi",
	} {
		var v diversityOptions
		var d drawOptions
		cmd := &cobra.Command{}
		d.addFlags(cmd, "0")
		v.addFlags(cmd)
		if err := cmd.ParseFlags(strings.Fields(flags)); err != nil {
			t.Fatal(err)
		}
		err := v.resolve(cmd, &d)
		if message, wrong := strings.CutPrefix(want, "!"); wrong {
			if err == nil || !fault.IsUsage(err) || fault.HintOf(err) == "" || !strings.Contains(err.Error(), message) {
				t.Errorf("%s: %v, want %q", flags, err, message)
			}
			continue
		}
		if got := fmt.Sprint(v.diversity, " ", d.seeds, " ", d.injectIndex, " ", v.spread); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", flags, got, err, want)
		}
	}
}

// The best of each text come first, whatever batch they were drawn in; without --best-of all stay in order.
func TestChoice(t *testing.T) {
	draw := func(place int, similarities ...float64) (drawn []*drawing) {
		for seed, s := range similarities {
			drawn = append(drawn, &drawing{place: place, seed: uint64(100*len(similarities) + seed), score: eval.Score{CLIPSimilarity: s}})
		}
		return drawn
	}
	seeds := func(drawn []*drawing) (seeds []uint64) {
		for _, d := range drawn {
			seeds = append(seeds, uint64(d.place)*1000+d.seed)
		}
		return seeds
	}
	c := newChoice(generateOptions{diversityOptions: diversityOptions{count: 2, bestOf: 3}})
	c.add(append(draw(1, 0.3, 0.1, 0.2), draw(4, 0.1, 0.1, 0.5)...))
	c.add(append(draw(1, 0.25), draw(4, 0)...))
	best := c.take()
	if got := seeds(best); !slices.Equal(got, []uint64{1300, 1100, 4302, 4300}) {
		t.Errorf("kept %v", got)
	}
	if want := []candidate{{300, 0.1}, {301, 0.1}, {302, 0.5}, {100, 0}}; !slices.Equal(best[2].candidates, want) {
		t.Errorf("candidates %v, want %v", best[2].candidates, want)
	}
	if len(c.take()) != 0 {
		t.Error("what was taken is still there")
	}
	c = newChoice(generateOptions{})
	c.add(draw(0, 0.1, 0.3))
	if all := c.take(); !slices.Equal(seeds(all), []uint64{200, 201}) || all[0].candidates != nil {
		t.Errorf("without --best-of: %v", seeds(all))
	}
}

func TestParseAlphas(t *testing.T) {
	if got, err := parseAlphas("0, 0.5,-1,1e1"); err != nil || !slices.Equal(got, []float64{0, 0.5, -1, 10}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"", "1,", "1,x", "NaN", "inf", "101", "1,1", "0-3", "1;2", strings.Repeat("1,", 200)} {
		if got, err := parseAlphas(wrong); !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v, %v", wrong, got, err)
		}
	}
}
