//go:build !((linux || darwin) && cgo)

package programs

// Intercept does nothing on this system: programs are compiled by go-xla alone.
func Intercept(string) error { return nil }

// InterceptAs does nothing, as Intercept.
func InterceptAs(string, string) error { return nil }
