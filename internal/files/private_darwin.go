package files

import "golang.org/x/sys/unix"

// searchFolder opens a folder on the way to another, which need not be readable.
const searchFolder = unix.O_SEARCH | unix.O_NOFOLLOW
