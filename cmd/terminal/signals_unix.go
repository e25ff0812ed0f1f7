//go:build unix

package terminal

import (
	"os"
	"syscall"
)

// stopSignals are those by which schedulers announce that they want the machine back.
var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGUSR1}
