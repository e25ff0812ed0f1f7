package draw

import "testing"

func TestFileName(t *testing.T) {
	for text, want := range map[string]string{"A wizard": "0008-a-wizard-seed9", "!?": "0008-seed9"} {
		if got := FileName(7, text, 9); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
