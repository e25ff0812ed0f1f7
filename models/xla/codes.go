package xla

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	NotInstalled fault.Code = "xla.not_installed" // Args: "cpu" or "cuda"
	OwnPlugin    fault.Code = "xla.own_plugin"    // the user's own library does not work. Args: BackendEnv
	Broken       fault.Code = "xla.broken"        // the plugin cannot be opened. Args: "cpu", "cuda" or another name

	NotAPlugin    fault.Code = "xla.not_a_plugin"   // Options.Plugin
	OtherPlatform fault.Code = "xla.other_platform" // Options.Plugin is for another platform than Options.CUDA says
	CPUWheel      fault.Code = "xla.cpu_wheel"      // Options.Plugin is a wheel, and Options.CUDA is set
	WheelFails    fault.Code = "xla.wheel_fails"    // the plugin of a wheel does not work
	CPUPlatform   fault.Code = "xla.cpu_platform"   // no wheel fits. Args: the platform
	CPUNoPip      fault.Code = "xla.cpu_no_pip"     // Args: how to install pip, the command that downloads the wheel
	CPUDownload   fault.Code = "xla.cpu_download"   // failed. Args: the command that downloads the wheel

	CUDAPlatform  fault.Code = "xla.cuda_platform"  // that no CUDA plugin is for
	OldDriver     fault.Code = "xla.old_driver"     // runs no release
	CUDANoPip     fault.Code = "xla.cuda_no_pip"    // Args: how to install pip, the version
	CUDADownload  fault.Code = "xla.cuda_download"  // failed. Args: the version
	LackingWheels fault.Code = "xla.lacking_wheels" // of a folder. Args: the version
	DamagedWheel  fault.Code = "xla.damaged_wheel"  // Args: the version
	CUDAFails     fault.Code = "xla.cuda_fails"     // the plugin does not work with this GPU or its driver
)
