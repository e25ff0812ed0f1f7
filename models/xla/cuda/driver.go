package cuda

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Driver is the version of NVIDIA's driver: 580.65.06 is {580, 65, 6}. It is empty where there is none.
type Driver []int

// parseDriver reads a version as nvidia-smi prints it.
func parseDriver(text string) (Driver, error) {
	var d Driver
	for part := range strings.SplitSeq(strings.TrimSpace(text), ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not the version of a driver", text)
		}
		d = append(d, n)
	}
	return d, nil
}

// Runs reports whether the driver is as new as a release needs.
func (d Driver) Runs(r Release) bool { return slices.Compare(d, r.Driver) >= 0 }

// String is the version with dots, each number but the first with two digits, as NVIDIA writes it.
func (d Driver) String() string {
	parts := make([]string, len(d))
	for i, n := range d {
		parts[i] = fmt.Sprintf("%02d", n)
	}
	return strings.Join(parts, ".")
}

// cuda13Capability is the compute capability of the oldest GPUs that CUDA 13 has code for: Turing.
const cuda13Capability = 7.5

// Choose returns the newest release that runs on a machine's driver and GPUs. Where no driver is known, the newest one
// is chosen, and known is false.
func Choose(driver Driver, gpus []GPU) (r Release, known bool, err error) {
	releases := Releases()
	if len(driver) == 0 {
		return releases[0], false, nil
	}
	for _, r := range releases {
		old := slices.ContainsFunc(gpus, func(g GPU) bool { return g.Capability > 0 && g.Capability < cuda13Capability })
		if driver.Runs(r) && !(old && r.Version >= 13) {
			return r, true, nil
		}
	}
	oldest := releases[len(releases)-1]
	return Release{}, true, fmt.Errorf("NVIDIA's driver %v is too old: CUDA %d needs %v or newer",
		driver, oldest.Version, oldest.Driver)
}
