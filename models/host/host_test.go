package host

import (
	"errors"
	"testing"

	"github.com/gomlx/compute"

	"illustrator/internal/pace"
)

// Parts without units take no time, whatever others of their kind took before the first.
func TestEstimate(t *testing.T) {
	env := Env{Pace: func(kind string) (pace.Pace, bool) { return pace.Pace{Unit: 2, Before: 10}, kind == "known" }}
	for _, c := range []struct {
		parts   []Part
		seconds float64
		all     bool
	}{
		{nil, 0, true},
		{[]Part{{Units: 3, Kind: "known"}, {Kind: "known"}, {Kind: "other"}}, 16, true},
		{[]Part{{Units: 3, Kind: "known"}, {Units: 1, Kind: "other"}}, 16, false},
	} {
		if seconds, all := env.Estimate(c.parts); seconds != c.seconds || all != c.all {
			t.Errorf("%+v: %g, %v", c.parts, seconds, all)
		}
	}
	if seconds, all := (Env{}).Estimate([]Part{{Units: 1}}); seconds != 0 || all {
		t.Errorf("without times: %g, %v", seconds, all)
	}
}

// One device is opened, for one device's work, however often it is asked for.
func TestOneDevice(t *testing.T) {
	opened, failed := 0, errors.New("no device")
	env := Env{Backend: func(devices int) (compute.Backend, error) {
		opened += devices
		return nil, failed
	}}.OneDevice()
	for range 3 {
		if _, err := env.Backend(2); !errors.Is(err, failed) {
			t.Errorf("error %v", err)
		}
	}
	if opened != 1 {
		t.Errorf("%d devices were opened", opened)
	}
}
