package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"illustrator/models/nn/nntest"
	"illustrator/models/xla"
)

func TestMain(m *testing.M) {
	nntest.CompileFast()
	testscript.Main(m, map[string]func(){"bench": main})
}

// TestScript runs the command lines in testdata/script. PLUGINS names the folder of the machine's XLA plugin, and
// [plugin] tells whether there is one; scripts start without.
func TestScript(t *testing.T) {
	plugin, ok := xla.Find("cpu")
	if !ok && os.Getenv("CI") != "" {
		t.Fatal("no XLA CPU plugin")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"HOME": env.WorkDir, "XDG_CACHE_HOME": "", "GOMLX_BACKEND": "", "XLA_FLAGS": os.Getenv("XLA_FLAGS"),
				"PLUGINS": filepath.Dir(plugin), "PJRT_PLUGIN_LIBRARY_PATH": filepath.Join(env.WorkDir, "plugins"),
			} {
				env.Setenv(name, value)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "plugin" {
				return ok, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}
