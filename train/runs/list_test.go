package runs

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 59 * time.Second: "59s", 60 * time.Minute: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
		119 * time.Second: "1m",
	} {
		if got := age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
