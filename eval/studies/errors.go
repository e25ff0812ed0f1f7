package studies

// Code says what is wrong.
type Code string

// Codes of an Error.
const (
	InvalidSeeds Code = "invalid_seeds" // the seeds of Options
	TrainsItself Code = "trains_itself" // a run is given to a study that trains its own mappers
	OtherCell    Code = "other_cell"    // a cell's folder is of other settings
)

// Error states what is wrong with a study.
type Error struct {
	Code Code
	Text string
	Err  error // the cause, if there is one
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Err }
