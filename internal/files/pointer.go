package files

import (
	"bytes"
	"errors"

	"illustrator/internal/fault"
)

// LFSPointer begins the text that stands in place of a file in a clone without Git LFS.
const LFSPointer = "version https://git-lfs"

// CheckPointer returns an error if a file that begins with head is such a text.
func CheckPointer(head []byte) error {
	if !bytes.HasPrefix(head, []byte(LFSPointer)) {
		return nil
	}
	return fault.Usage(errors.New("it is a Git LFS pointer, not the file itself"), "fetch the file with git lfs pull")
}
