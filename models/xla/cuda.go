package xla

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/models/xla/cuda"
)

// Options of a CUDA backend.
const (
	// optionTF32 lets products of matrices and convolutions of float32 round their operands to TF32's 10 bits. GoMLX's
	// option of that name is about products alone.
	optionTF32 = "tf32"
	// optionPreallocate, of GoMLX, takes three quarters of the device's memory at once, or the share memory_fraction.
	optionPreallocate = "preallocate"
)

// prepareCUDA sets the environment that XLA and NVIDIA's libraries read when plugin is opened, and returns the options
// for GoMLX. Memory is preallocated unless they say otherwise, as XLA does.
func prepareCUDA(plugin string, options []string) (gomlx []string) {
	setCUDADataDir(plugin)
	options = slices.Clone(options)
	if !slices.Contains(options, optionTF32) {
		forbidTF32()
		if !slices.Contains(options, "no"+optionTF32) {
			options = append(options, optionTF32+"=false")
		}
	}
	if !slices.ContainsFunc(options, func(o string) bool { return strings.Contains(o, optionPreallocate) }) {
		options = append(options, optionPreallocate)
	}
	return options
}

// forbidTF32 has float32 computed in float32. XLA's own default for CUDA is TF32, in which GoMLX (v0.28.2) leaves
// convolutions whatever its option tf32 says. The variable tells cuBLAS and cuDNN, the flag leaves products to cuBLAS
// instead of XLA's own kernels. The environment's own settings stay.
func forbidTF32() {
	const override, flag = "NVIDIA_TF32_OVERRIDE", "--xla_gpu_enable_triton_gemm="
	if _, set := os.LookupEnv(override); !set {
		os.Setenv(override, "0")
	}
	addXLAFlag(flag, "false")
}

// setCUDADataDir tells XLA where the CUDA tools beside a plugin are, unless $XLA_FLAGS says so already. In the wheels
// of CUDA 13 that is the folder cu13, in those of CUDA 12 cuda_nvcc.
func setCUDADataDir(plugin string) {
	dirs := []string{filepath.Dir(plugin)}
	if target, err := filepath.EvalSymlinks(plugin); err == nil && filepath.Dir(target) != dirs[0] {
		dirs = append(dirs, filepath.Dir(target))
	}
	for _, dir := range dirs {
		for _, near := range []string{dir, filepath.Join(dir, "nvidia"), filepath.Join(dir, "..", "nvidia"),
			filepath.Join(dir, "..", "..", "nvidia")} {
			for _, release := range cuda.Releases() {
				candidate := filepath.Join(near, release.DataDir)
				if info, err := os.Stat(candidate); err == nil && info.IsDir() {
					addXLAFlag("--xla_gpu_cuda_data_dir=", candidate)
					return
				}
			}
		}
	}
}

// addXLAFlag sets a flag in $XLA_FLAGS unless it is there.
func addXLAFlag(flag, value string) {
	if flags := os.Getenv("XLA_FLAGS"); !strings.Contains(flags, flag) {
		os.Setenv("XLA_FLAGS", strings.TrimSpace(flags+" "+flag+value))
	}
}
