package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// samePicture is the scripts' command `same-picture A B`: it fails where the files' pictures differ by more than a step
// of 255, as what went through other programs may.
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

// The flags of generate become a plan, or an error that names them and says what would be right.
func TestDrawFlags(t *testing.T) {
	m := draw.Model{Alpha: 1.5, Networks: &pipeline.Networks{}}
	m.Generator.Size = 16
	for flags, want := range map[string]string{
		"":                   "noise [0] 0 0 random 1.5",
		"--seeds 4,2":        "noise [4 2] 0 0 random 1.5",
		"--inject-index 3":   "style [0] 3 0 random 1.5",
		"--count 3 --seed 9": "z [9 10 11] 0 0.4 random 1.5",
		"--seed 9":           "noise [9] 0 0 random 1.5",
		"--best-of 2 --count 2 --alpha 0 --noise-mode const": "z [0 1 2 3] 0 0.4 const 0",
		"--diversity style --seeds 0-2":                      "style [0 1 2] 1 0 random 1.5",
		"--spread 1":                                         "z [0] 0 1 random 1.5",

		"--seeds 1 --count 2":                            "!--seeds and --count are given",
		"--seeds 1 --seed 2":                             "!--seeds and --seed are given",
		"--count 0":                                      "!--count is 0",
		"--count 1000 --best-of 101":                     "!--best-of 101 with --count 1000",
		"--count 2 --seed 18446744073709551615":          "!--seed is 18446744073709551615",
		"--diversity noise --spread 0.5":                 "!--spread 0.5 with --diversity noise",
		"--count 2 --diversity noise --noise-mode const": "!--diversity noise with --noise-mode const",
		"--refine 5 --truncation-psi 0.5":                "!--refine 5 with --truncation-psi 0.5",
		"--alpha NaN":                                    "!--alpha is NaN",
	} {
		var d drawFlags
		cmd := &cobra.Command{}
		d.addFlags(cmd, "0")
		d.addVariety(cmd)
		if err := cmd.ParseFlags(strings.Fields(flags)); err != nil {
			t.Fatal(err)
		}
		p, err := d.plan(cmd, m)
		if message, wrong := strings.CutPrefix(want, "!"); wrong {
			if err == nil || !fault.IsUsage(err) || fault.HintOf(err) == "" || err.Error() != message ||
				strings.Contains(fault.HintOf(err), "`") {
				t.Errorf("%s: %v (%s), want %q", flags, err, fault.HintOf(err), message)
			}
			continue
		}
		if got := fmt.Sprint(p.Diversity, " ", p.Seeds, " ", p.InjectIndex, " ", p.Spread, " ", p.NoiseMode, " ",
			p.Alpha); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", flags, got, err, want)
		}
	}
}
