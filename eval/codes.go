package eval

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	NoTexts     fault.Code = "eval.no_texts"     // nothing to evaluate
	NoCaptions  fault.Code = "eval.no_captions"  // no picture of a folder has a text
	OtherDomain fault.Code = "eval.other_domain" // pictures were drawn by another generator
	OtherScores fault.Code = "eval.other_scores" // the folder to write holds scores of other settings
)
