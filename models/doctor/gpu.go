package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"illustrator/models/xla"
	"illustrator/models/xla/cuda"
)

// checkGPU says which GPUs a program gets that needs a number of bytes there, or why it gets none.
// A need of 0 is unknown.
func checkGPU(m cuda.Machine, need int64) []Check {
	var checks []Check
	for _, f := range m.Diagnose(need) {
		c := Check{Name: "GPU", Status: Wrong, Detail: f.Detail, Fix: f.Fix}
		switch f.Kind {
		case cuda.Ready:
			c.Status = OK
		case cuda.MIGInstance:
			c.Status = Warning
		default:
			c.Detail = fmt.Sprintf("%s: %s", f.Kind, f.Detail)
		}
		checks = append(checks, c)
	}
	return checks
}

// checkAPI compares the plugin's version of PJRT's interface with the one that go-xla is written for. The interface
// only grows within a major version, so that a newer plugin has all that go-xla calls.
func checkAPI(api string) Check {
	c := Check{Name: "PJRT API", Status: OK, Detail: fmt.Sprintf("%s of the plugin, %s of go-xla", api, xla.BindingAPI)}
	plugin, err := apiVersion(api)
	if err != nil {
		c.Status, c.Detail, c.Lack = Wrong, err.Error(), OtherPlugin
		return c
	}
	binding, _ := apiVersion(xla.BindingAPI)
	switch {
	case plugin[0] != binding[0]:
		c.Status, c.Lack = Wrong, OwnPlugin
		c.Detail += ": another major version"
	case plugin[1] < binding[1]:
		c.Status, c.Lack = Warning, OwnPlugin
		c.Detail += ": the plugin is older, and may lack functions"
	}
	return c
}

func apiVersion(text string) (version [2]int, err error) {
	major, minor, _ := strings.Cut(text, ".")
	var errs [2]error
	version[0], errs[0] = strconv.Atoi(major)
	version[1], errs[1] = strconv.Atoi(minor)
	if errs[0] != nil || errs[1] != nil {
		return version, fmt.Errorf("the plugin says that its PJRT API is %q", text)
	}
	return version, nil
}
