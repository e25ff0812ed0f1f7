package xla

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/models/xla/cuda"
)

// optionTF32 lets products of matrices and convolutions of float32 round their operands to TF32's 10 bits. GoMLX has an option of
// that name, too, which is about products alone.
const optionTF32 = "tf32"

// prepareCUDA sets the environment that XLA and NVIDIA's libraries read when plugin is opened, and returns the options for GoMLX.
func prepareCUDA(plugin string, options []string) []string {
	setCUDADataDir(plugin)
	if slices.Contains(options, optionTF32) {
		return options
	}
	forbidTF32()
	if slices.Contains(options, "no"+optionTF32) {
		return options
	}
	return append(slices.Clone(options), optionTF32+"=false")
}

// forbidTF32 has float32 computed in float32. XLA's own default for CUDA is TF32, in which GoMLX leaves convolutions always, and
// products of matrices unless told otherwise. The variable tells cuBLAS and cuDNN, the flag leaves products to cuBLAS instead of
// XLA's own kernels. The environment's own settings stay.
func forbidTF32() {
	const override, flag = "NVIDIA_TF32_OVERRIDE", "--xla_gpu_enable_triton_gemm="
	if _, set := os.LookupEnv(override); !set {
		os.Setenv(override, "0")
	}
	addXLAFlag(flag, "false")
}

// setCUDADataDir tells XLA where the CUDA tools beside a plugin are, unless $XLA_FLAGS says so already. In the wheels of CUDA 13
// that is the folder cu13, in those of CUDA 12 cuda_nvcc.
func setCUDADataDir(plugin string) {
	dirs := []string{filepath.Dir(plugin)}
	if target, err := filepath.EvalSymlinks(plugin); err == nil && filepath.Dir(target) != dirs[0] {
		dirs = append(dirs, filepath.Dir(target))
	}
	for _, dir := range dirs {
		for _, near := range []string{dir, filepath.Join(dir, "nvidia"), filepath.Join(dir, "..", "nvidia"), filepath.Join(dir, "..", "..", "nvidia")} {
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
