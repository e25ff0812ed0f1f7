//go:build cgo

package xla

import (
	"fmt"

	"github.com/gomlx/compute"
	gomlxxla "github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"

	"illustrator/internal/fault"
)

// cpuVersion is the release of the CPU plugin that GoMLX's installer gets.
var cpuVersion = pjrt.DefaultCPUVersion

// newBackend opens a plugin: its path and GoMLX's options, separated by commas.
// client are options of the plugin's client.
func newBackend(config string, client map[string]any) (compute.Backend, error) {
	gomlxxla.EnableAutoInstall(false)
	return gomlxxla.NewWithOptions(config, client)
}

// Load loads the plugin at path into this process and reads its API's version and its attributes. It creates no client,
// so that it needs no device.
func Load(path string) (info Info, err error) {
	if err := inspect(path); err != nil {
		return Info{}, err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("load XLA plugin %q: it does not answer as a PJRT plugin should: %w", path,
				fault.Recovered(r, "its table of functions is not PJRT's"))
		}
	}()
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return Info{}, fmt.Errorf("load XLA plugin %q: %w", path, err)
	}
	major, minor := plugin.Version()
	info = Info{API: fmt.Sprintf("%d.%d", major, minor), CUDA: cudaRelease(plugin)}
	if info.CUDA != "" {
		info.Platform = "cuda"
	}
	return info, nil
}

// cudaRelease is the CUDA release that a plugin names in its attributes, where 13000 means 13.0; "" if it names none.
func cudaRelease(plugin *pjrt.Plugin) string {
	version, ok := plugin.Attributes()["cuda_version"].(int64)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d.%d", version/1000, version%1000/10)
}

// describe asks the plugin at path, which is loaded, for its version and devices.
func describe(path string) (Info, error) {
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return Info{}, err
	}
	client, err := plugin.NewClient(nil)
	if err != nil {
		return Info{}, err
	}
	defer client.Destroy()
	major, minor := plugin.Version()
	info := Info{
		Platform: client.Platform(), Version: client.PlatformVersion(), API: fmt.Sprintf("%d.%d", major, minor),
		CUDA: cudaRelease(plugin), Ran: true,
	}
	for _, device := range client.AddressableDevices() {
		description, err := device.GetDescription()
		if err != nil {
			return Info{}, err
		}
		info.Devices = append(info.Devices, description.DebugString())
	}
	return info, nil
}
