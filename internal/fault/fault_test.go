package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestHintsAndUsage(t *testing.T) {
	base := errors.New("no such thing")
	inner := Usage(base, "take %d", 7)
	outer := fmt.Errorf("load: %w", inner)
	if HintOf(outer) != "take 7" || !IsUsage(outer) || !errors.Is(outer, base) || outer.Error() != "load: no such thing" {
		t.Errorf("%v: hint %q, usage %v", outer, HintOf(outer), IsUsage(outer))
	}
	if err := Hint(base, "try"); IsUsage(err) || HintOf(err) != "try" {
		t.Errorf("%v: hint %q, usage %v", err, HintOf(err), IsUsage(err))
	}
	if Hint(nil, "try") != nil || Usage(nil, "try") != nil || HintOf(base) != "" || IsUsage(base) {
		t.Error("an error without a hint has one")
	}
}

func TestField(t *testing.T) {
	type color string
	for _, c := range []struct {
		err           error
		message, hint string
	}{
		{Field("train.batch", 1, "from 2 to %d", 64), "train.batch is 1", "train.batch must be from 2 to 64"},
		{Field("mapper config: arch", "x", `"dense" or "baseline"`), `mapper config: arch is "x"`,
			`arch must be "dense" or "baseline"`},
		{Field("--color", color("red"), "100%% blue"), `--color is "red"`, "--color must be 100% blue"},
		{Field("stages", Words("empty"), "a list"), "stages is empty", "stages must be a list"},
		{Field("range", [2]float64{1, 1}, "two numbers"), "range is [1 1]", "range must be two numbers"},
	} {
		if c.err.Error() != c.message || HintOf(c.err) != c.hint || !IsUsage(c.err) {
			t.Errorf("%q, hint %q; want %q, hint %q", c.err, HintOf(c.err), c.message, c.hint)
		}
	}
}

func TestChoose(t *testing.T) {
	type color string
	c := color("red")
	if err := Choose(&c, "color", []byte("blue"), "red", "blue"); err != nil || c != "blue" {
		t.Errorf("%q, %v", c, err)
	}
	for want, values := range map[string][]color{"use red, green or blue": {"red", "green", "blue"},
		"use red or blue": {"red", "blue"}, "use red": {"red"}} {
		err := Choose(&c, "color", []byte("grey"), values...)
		if err == nil || err.Error() != `color "grey" is unknown` || HintOf(err) != want || !IsUsage(err) || c != "blue" {
			t.Errorf("%q, %v, hint %q; want %q", c, err, HintOf(err), want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"setup", "train", "generate", "doctor", "learning_rate"}
	for word, want := range map[string]string{
		"setpu":         "setup",
		"SETUP":         "setup",
		"trian":         "train",
		"gen":           "generate",
		"doc":           "doctor",
		"generaet":      "generate",
		"learnin_rates": "learning_rate",
		"xyzzy":         "",
		"":              "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := Nearest("set", []string{"settle", "setting"}); got != "" {
		t.Errorf("two names begin with the word, got %q", got)
	}
}

// What a library panics with stays, but for errors of Go's runtime.
func TestRecovered(t *testing.T) {
	index := func() (r any) {
		defer func() { r = recover() }()
		return []int{}[len(t.Name())]
	}()
	own := errors.New("own")
	for _, c := range []struct {
		panicked any
		want     string
	}{{own, "own"}, {"text", "text"}, {index, "damaged"}, {fmt.Errorf("wrapped: %w", index.(error)), "damaged"}} {
		if got := Recovered(c.panicked, "damaged"); got.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.panicked, got, c.want)
		}
	}
	if !errors.Is(Recovered(own, "damaged"), own) {
		t.Error("an error is lost")
	}
}

func TestWithCode(t *testing.T) {
	const missing Code = "test.missing"
	err := fmt.Errorf("load: %w", WithCode(Usage(errors.New("no such thing"), "make one"), missing, 7))
	if CodeOf(err) != missing || HintOf(err) != "make one" || !IsUsage(err) || err.Error() != "load: no such thing" {
		t.Errorf("%v: code %q, hint %q, usage %v", err, CodeOf(err), HintOf(err), IsUsage(err))
	}
	if WithCode(nil, missing) != nil || CodeOf(Usage(errors.New("x"), "y")) != "" {
		t.Error("an error without a code has one")
	}
}
