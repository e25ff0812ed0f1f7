package files

import "fmt"

// DistrustError is the error of a file or folder that another user could have changed.
type DistrustError struct {
	Path   string
	Reason string // "belongs to user 1001"
	Fix    string // a command, or an advice
}

func (e *DistrustError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Reason) }
