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
