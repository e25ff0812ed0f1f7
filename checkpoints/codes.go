package checkpoints

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	NotAFolder      fault.Code = "checkpoints.not_a_folder"     // weights are a file, where a folder is expected
	InvalidManifest fault.Code = "checkpoints.invalid_manifest" // of a network's folder
	PyTorchFile     fault.Code = "checkpoints.pytorch_file"     // a PyTorch file, where safetensors is expected
	OtherContents   fault.Code = "checkpoints.other_contents"   // the folder to write holds something else
)
