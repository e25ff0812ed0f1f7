package terminal

import (
	"bytes"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, " YES \n": true, "n\n": false, "\n": false, "": false,
		"yes": true, "yep\n": false} {
		var out bytes.Buffer
		if got, err := Ask(strings.NewReader(answer), &out, "sure? "); got != want || err != nil || out.String() != "sure? " {
			t.Errorf("%q: %v, %v, asked %q", answer, got, err, out.String())
		}
	}
}
