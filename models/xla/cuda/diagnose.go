package cuda

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Finding is something about this machine's GPUs that keeps a program from them, or that it should know.
type Finding struct {
	Kind   Kind
	Detail string
	Fix    string
}

// Kind tells findings apart.
type Kind string

// The kinds of findings.
const (
	NoDriver     Kind = "no driver"
	DriverBroken Kind = "driver does not answer"
	DriverOld    Kind = "driver too old"
	NoGPU        Kind = "no GPU"
	HiddenGPUs   Kind = "GPUs hidden"
	MIGEmpty     Kind = "MIG without instances"
	MIGInstance  Kind = "MIG instance"
	LittleMemory Kind = "too little memory"
	Ready        Kind = "ready"
)

// usable reports whether a program can run in spite of the finding.
func (f Finding) usable() bool { return f.Kind == Ready || f.Kind == MIGInstance }

// Diagnose says why a program that needs a number of bytes on the device would not run here, the first reason first;
// Ready if it would. A need of 0 is unknown.
func (m Machine) Diagnose(need int64) []Finding {
	switch {
	case m.NoTool:
		return []Finding{{NoDriver, "nvidia-smi is missing, and with it NVIDIA's driver",
			"install NVIDIA's driver, or run on a node that has a GPU"}}
	case m.Failure != "":
		return []Finding{m.failure()}
	}
	if _, _, err := Choose(m.Driver, m.GPUs); err != nil {
		return []Finding{{DriverOld, err.Error(), "update NVIDIA's driver"}}
	}
	devices, hidden := m.devices()
	if hidden != nil {
		return []Finding{*hidden}
	}
	var findings []Finding
	for _, d := range devices {
		findings = append(findings, d.findings(need)...)
	}
	if slices.ContainsFunc(findings, func(f Finding) bool { return !f.usable() }) {
		return findings
	}
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = fmt.Sprintf("%s, %s", d.name, gibibytes(d.total))
	}
	return append(findings, Finding{Ready, fmt.Sprintf("driver %v; %s", m.Driver, strings.Join(names, "; ")), ""})
}

// findings says what of the device a program should know that needs a number of bytes there.
func (d device) findings(need int64) (findings []Finding) {
	if d.instance != "" {
		findings = append(findings, Finding{MIGInstance, fmt.Sprintf("%s is a MIG instance (%s) with %s: "+
			"a process gets one instance, and train.devices is at most 1", d.name, d.instance, gibibytes(d.total)), ""})
	}
	switch {
	case d.total > 0 && need > d.total:
		findings = append(findings, Finding{LittleMemory,
			fmt.Sprintf("%s has %s; the configuration needs about %s", d.name, gibibytes(d.total), gibibytes(need)),
			"lower train.batch or sampling's batch, or take a GPU with more memory"})
	case d.free > 0 && need > d.free:
		findings = append(findings, Finding{LittleMemory,
			fmt.Sprintf("%s has %s free of %s; the configuration needs about %s",
				d.name, gibibytes(d.free), gibibytes(d.total), gibibytes(need)),
			"end the other programs on it (nvidia-smi lists them), or wait for them"})
	}
	return findings
}

// failure tells the answers of an nvidia-smi that lists no GPU apart.
func (m Machine) failure() Finding {
	switch {
	case strings.Contains(m.Failure, "No devices were found"):
		return Finding{NoGPU, "nvidia-smi finds no GPU", "run on a node that has one; under Slurm ask for it (--gres=gpu:1)"}
	case strings.Contains(m.Failure, "version mismatch"):
		return Finding{DriverBroken, "the driver's library is of another version than its kernel module: " + m.Failure,
			"load the new kernel module: restart the machine"}
	}
	return Finding{DriverBroken, "nvidia-smi fails: " + m.Failure,
		"see to NVIDIA's driver: `nvidia-smi` must list the GPU"}
}

// device is a GPU, or an instance of one, as CUDA enumerates them.
type device struct {
	name, uuid, instance string
	total, free          int64
}

// devices lists what CUDA_VISIBLE_DEVICES leaves to a program, or the finding that this is nothing. CUDA reads the
// variable up to the first entry that names no device.
func (m Machine) devices() ([]device, *Finding) {
	all, empty := m.enumerate()
	if m.VisibleSet {
		var chosen []device
		bad := ""
		for entry := range strings.SplitSeq(m.Visible, ",") {
			d, ok := find(all, strings.TrimSpace(entry))
			if !ok {
				bad = entry
				break
			}
			chosen = append(chosen, d)
		}
		if len(chosen) == 0 {
			why := "hides all GPUs"
			if bad != "" {
				why = fmt.Sprintf("names %q, which is not a device here", bad)
			}
			return nil, &Finding{HiddenGPUs, fmt.Sprintf("%s=%q %s", visibleEnv, m.Visible, why),
				fmt.Sprintf("unset %s, or name one of: %s", visibleEnv, strings.Join(names(all), ", "))}
		}
		return chosen, nil
	}
	if len(all) == 0 {
		return nil, &Finding{MIGEmpty, fmt.Sprintf("MIG is enabled on %s, which has no instance", strings.Join(empty, ", ")),
			"make an instance (`nvidia-smi mig -cgi PROFILE -C`), or disable MIG (`nvidia-smi -mig 0`); both are an " +
				"administrator's"}
	}
	if len(empty) > 0 || slices.ContainsFunc(all, func(d device) bool { return d.instance != "" }) {
		all = all[:1] // where there are instances CUDA enumerates one device
	}
	return all, nil
}

// enumerate lists the devices of all GPUs, and the GPUs in MIG mode that have no instance.
func (m Machine) enumerate() (all []device, empty []string) {
	for _, gpu := range m.GPUs {
		if !gpu.MIG {
			all = append(all, device{name: fmt.Sprintf("GPU %d (%s)", gpu.Index, gpu.Name), uuid: gpu.UUID,
				total: gpu.Total, free: gpu.Free})
			continue
		}
		if len(gpu.Instances) == 0 {
			empty = append(empty, fmt.Sprintf("GPU %d", gpu.Index))
		}
		for _, i := range gpu.Instances {
			all = append(all, device{name: i.UUID, uuid: i.UUID,
				instance: fmt.Sprintf("%s of GPU %d", i.Profile, gpu.Index), total: i.Bytes})
		}
	}
	return all, empty
}

// find returns the device that an entry of CUDA_VISIBLE_DEVICES names: a number, or the beginning of a UUID.
func find(all []device, entry string) (device, bool) {
	if n, err := strconv.Atoi(entry); err == nil {
		if n < 0 || n >= len(all) {
			return device{}, false
		}
		return all[n], true
	}
	for _, d := range all {
		if entry != "" && strings.HasPrefix(d.uuid, entry) {
			return d, true
		}
	}
	return device{}, false
}

func names(all []device) []string {
	list := make([]string, len(all))
	for i, d := range all {
		list[i] = d.uuid
		if d.instance == "" {
			list[i] = strconv.Itoa(i)
		}
	}
	return list
}

func gibibytes(n int64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }
