package raters

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	InvalidSetting   fault.Code = "raters.invalid_setting"    // of Options or Rule, which the error begins with
	ManyQuestions    fault.Code = "raters.many_questions"     // more than a study may have
	NothingToCompare fault.Code = "raters.nothing_to_compare" // no text is in two folders
	OneText          fault.Code = "raters.one_text"           // controls need two
	LargePage        fault.Code = "raters.large_page"         // with the pictures in it
	FolderTaken      fault.Code = "raters.folder_taken"       // by another study
	OtherAnswers     fault.Code = "raters.other_answers"      // of another study than the one they are read with
	AllRejected      fault.Code = "raters.all_rejected"
)

// invalid is the error of a setting with a wrong value.
func invalid(name string, value any, want string, args ...any) error {
	return fault.WithCode(fault.Field(name, value, want, args...), InvalidSetting)
}
