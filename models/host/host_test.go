package host

import (
	"errors"
	"testing"

	"github.com/gomlx/compute"
)

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
