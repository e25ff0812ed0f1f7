package files

import (
	"bytes"
	"errors"

	"illustrator/internal/fault"
)

// LFSPointer begins the text that stands in place of a file in a clone without Git LFS. Its name and the hint are for
// errors.
const (
	LFSPointer = "version https://git-lfs"
	LFSName    = "a Git LFS pointer, not the file itself"
	LFSHint    = "fetch the file with git lfs pull"
)

// CheckPointer returns an error if a file that begins with head is such a text.
func CheckPointer(head []byte) error {
	if !bytes.HasPrefix(head, []byte(LFSPointer)) {
		return nil
	}
	return fault.Usage(errors.New("it is "+LFSName), LFSHint)
}
