package jsonfile

import "testing"

func TestLoneSurrogate(t *testing.T) {
	for text, want := range map[string]int{
		`"a"`: -1, `"\u00e9\\ud83d\ud83d\ude00"`: -1, `"\\\\ud83d"`: -1, `"\uD83D\uDE00"`: -1, "": -1, `\`: -1, `"\u12`: -1,
		`"\ud83d"`: 1, `"a\ude00"`: 2, `"\ud83d\ud83d\ude00"`: 1, `"\ud83dx\ude00"`: 1, `"\ude00\ud83d"`: 1, `"\\\ud83d"`: 3,
		`"\ufffd"`: -1, `"\ud83d`: 1,
	} {
		if got := LoneSurrogate([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
