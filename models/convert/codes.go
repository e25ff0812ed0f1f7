package convert

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	NoAttributes fault.Code = "convert.no_attributes" // of a classifier
	NoActivation fault.Code = "convert.no_activation" // of a CLIP. Args: the name of OpenCLIP's configuration
	NoVocabulary fault.Code = "convert.no_vocabulary" // of a CLIP. Args: the name of OpenAI's file
	FileExists   fault.Code = "convert.file_exists"   // the file to write
	PromptFile   fault.Code = "convert.prompt_file"   // an image prompt of the official release, not a network
	PairsFile    fault.Code = "convert.pairs_file"    // pairs of the official release, not a network
)
