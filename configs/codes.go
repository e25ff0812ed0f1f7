package configs

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	InvalidSetting fault.Code = "configs.invalid_setting" // an assignment, which the error names as set
	NoNetwork      fault.Code = "configs.no_network"      // a domain's file names none. Args: field, network
	NoPrompts      fault.Code = "configs.no_prompts"      // the domain has none yet. Args: Ref of the domain
	NoDescriptions fault.Code = "configs.no_descriptions" // the domain has none
	NotFetched     fault.Code = "configs.not_fetched"     // a published network is not here. Args: Ref, WeightsEnv
)
