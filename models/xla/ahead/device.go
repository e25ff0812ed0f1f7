// Package ahead compiles programs with XLA's CUDA plugin for devices that are described, not present. It runs nothing.
package ahead

import "fmt"

// Device is a GPU as XLA's compiler sees it. The values are those of XLA's own descriptions (openxla/xla,
// xla/backends/gpu/target_config/specs); the peaks are NVIDIA's data sheets', dense, in operations a second.
type Device struct {
	Name      string
	Memory    int64   // bytes
	Bandwidth float64 // bytes a second
	Float32   float64 // FLOP/s outside of tensor cores
	TF32      float64 // FLOP/s
	BFloat16  float64 // FLOP/s

	cores, fpusPerCore, sharedPerCore, sharedPerBlock, cache int64
	clock                                                    float64
	capability                                               string
}

// Devices lists the devices that programs are compiled for.
func Devices() []Device {
	const accelerated = "major: 9 feature_extension: ACCELERATED_FEATURES"
	return []Device{
		{Name: "NVIDIA A100-SXM4-80GB", Memory: 85100068864, Bandwidth: 2.03904e12, Float32: 19.5e12,
			TF32: 156e12, BFloat16: 312e12,
			cores: 108, fpusPerCore: 64, sharedPerCore: 167936, sharedPerBlock: 166912, cache: 41943040, clock: 1.41,
			capability: "major: 8"},
		{Name: "NVIDIA H100 80GB HBM3", Memory: 84942979072, Bandwidth: 3.35232e12, Float32: 67e12,
			TF32: 494.7e12, BFloat16: 989.4e12,
			cores: 132, fpusPerCore: 128, sharedPerCore: 233472, sharedPerBlock: 232448, cache: 52428800, clock: 1.98,
			capability: accelerated},
		{Name: "NVIDIA H200 141GB HBM3e", Memory: 151397597184, Bandwidth: 4.8e12, Float32: 67e12,
			TF32: 494.7e12, BFloat16: 989.4e12,
			cores: 132, fpusPerCore: 128, sharedPerCore: 233472, sharedPerBlock: 232448, cache: 52428800, clock: 1.98,
			capability: accelerated},
	}
}

// Memory is a compiled program's need of the device's memory in bytes, as XLA plans it. The workspaces that cuDNN's and
// cuBLAS's algorithms ask for are not in it: they are chosen on the device.
type Memory struct {
	Arguments int64 `json:"arguments"`
	Outputs   int64 `json:"outputs"`
	Aliased   int64 `json:"aliased"` // of the outputs, what takes the place of arguments
	Temporary int64 `json:"temporary"`
}

// Peak is the most that is there at once.
func (m Memory) Peak() int64 { return m.Arguments + m.Outputs - m.Aliased + m.Temporary }

// Config is the device as a GpuTargetConfigProto in text. cuDNN is the one that the CUDA plugin is installed with.
func (d Device) Config() string {
	return fmt.Sprintf(`gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048
  shared_memory_per_block: 49152 shared_memory_per_core: %d shared_memory_per_block_optin: %d
  core_count: %d fpus_per_core: %d clock_rate_ghz: %g l2_cache_size: %d
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
  memory_bandwidth: %d device_memory_size: %d
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  cuda_compute_capability { %s }
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 20 patch: 0 }
device_description_str: "%s"
`, d.sharedPerCore, d.sharedPerBlock, d.cores, d.fpusPerCore, d.clock, d.cache,
		int64(d.Bandwidth), d.Memory, d.capability, d.Name)
}
