package xla

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/models/xla/cuda"
)

// The options of a CUDA backend that are seen to here and not by GoMLX.
const (
	// optionTF32 lets products of matrices and convolutions of float32 round their operands to TF32's 10 bits.
	optionTF32 = "tf32"
	// optionGrow takes the device's memory as it is needed, where XLA would take three quarters of it at once.
	optionGrow = "grow"
)

// prepareCUDA sets the environment that XLA and NVIDIA's libraries read when plugin is opened, and returns what is left of the
// options for GoMLX, and those for the plugin's client.
func prepareCUDA(plugin string, options []string) (gomlx []string, client map[string]any) {
	setCUDADataDir(plugin)
	if !slices.Contains(options, optionTF32) {
		forbidTF32()
	}
	if slices.Contains(options, optionGrow) {
		client = map[string]any{"preallocate": false}
	}
	return slices.DeleteFunc(slices.Clone(options), func(o string) bool { return o == optionTF32 || o == optionGrow }), client
}

// forbidTF32 has float32 computed in float32. XLA's own default for CUDA is TF32, in which GoMLX leaves convolutions always and
// products of matrices without its option tf32; with it, products on CUDA get the highest precision, the opposite of its name
// (v0.27.3). The variable tells cuBLAS and cuDNN, the flag leaves products to cuBLAS instead of XLA's own kernels. What the
// environment says already is left.
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
