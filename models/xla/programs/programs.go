// Package programs keeps compiled programs on the disk: it stands between GoMLX and XLA's plugin where a program is
// compiled, and gives back what the plugin made of the same program before.
//
// A kept program computes the same bits as the compiled one: it is the same machine code. Its key (SHA-256) covers
// all that the code depends on, so that another plugin, processor or option recompiles. The program bears its key
// as its name, so that one under another's key recompiles too.
package programs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/cpuid/v2"
)

// inUse is the cache of this process, nil for none.
var inUse atomic.Pointer[Cache]

// Use has the programs of this process read from the cache and kept there, those of a plugin that Intercept has
// taken. nil ends that.
func Use(cache *Cache) { inUse.Store(cache) }

// Kept reports whether the programs of this process are kept.
func Kept() bool { return inUse.Load() != nil }

// Program is the input of a plugin's compiler.
type Program struct {
	Format  string // "mlir": StableHLO
	Code    []byte
	Options []byte // a serialized CompileOptionsProto
}

// captureBy takes the programs of this process, nil for nobody.
var captureBy atomic.Pointer[func(Program)]

// Capture gives the programs of this process to take instead of having them compiled, those of a plugin that
// Intercept has taken. Their compilation is an error. nil ends that.
func Capture(take func(Program)) {
	if take == nil {
		captureBy.Store(nil)
		return
	}
	captureBy.Store(&take)
}

var counts struct{ compiled, loaded, compiling, spent atomic.Int64 }

// Compiling reports whether a program of this process is being compiled.
func Compiling() bool { return counts.compiling.Load() > 0 }

// Spent returns the time that this process has waited for compilations; those at once count each.
func Spent() time.Duration { return time.Duration(counts.spent.Load()) }

// Count returns how many programs this process has had compiled, and how many it has read from a cache instead.
func Count() (compiled, loaded int) {
	return int(counts.compiled.Load()), int(counts.loaded.Load())
}

// keyFormat changes with the meaning of a key, or of what is kept under it.
const keyFormat = "illustrator's programs, 2"

// keyOf is the SHA-256 of parts in hexadecimal.
func keyOf(parts []string) string {
	hash := sha256.New()
	for _, part := range append([]string{keyFormat}, parts...) {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(part))) // so that no two lists of parts are alike
		hash.Write(length[:])
		io.WriteString(hash, part)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// moduleHead matches the beginning of a StableHLO program, up to its name.
var moduleHead = regexp.MustCompile(`^module @[0-9A-Za-z_]+`)

// nameAfter gives a program, as StableHLO's text, a name that ends in key. The compiler writes the name into what it
// makes, which tells whose machine code that is. named is false for programs of other forms.
func nameAfter(code, key string) (name, changed string, named bool) {
	head := moduleHead.FindString(code)
	if head == "" {
		return "", "", false
	}
	name = strings.TrimPrefix(head, "module @") + "_" + key
	return name, "module @" + name + code[len(head):], true
}

// describeMachine returns what of this machine and process machine code depends on: the processor with the number of
// cores, among which XLA's CPU compiler divides the work, and the flags that XLA and NVIDIA's libraries read.
func describeMachine() []string {
	return []string{
		runtime.GOOS, runtime.GOARCH, cpuid.CPU.BrandName, strings.Join(cpuid.CPU.FeatureSet(), ","),
		strconv.Itoa(runtime.NumCPU()),
		os.Getenv("XLA_FLAGS"), os.Getenv("NVIDIA_TF32_OVERRIDE"),
	}
}
