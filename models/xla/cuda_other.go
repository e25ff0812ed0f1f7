//go:build !(linux && amd64)

package xla

import (
	"context"
	"fmt"
	"runtime"

	"illustrator/internal/fault"
)

func (s *setup) installCUDA(context.Context) (Report, error) {
	return Report{}, fault.Hint(fmt.Errorf("no CUDA plugin for %s/%s", runtime.GOOS, runtime.GOARCH), "leave out --cuda to run on the CPU")
}
