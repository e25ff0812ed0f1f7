package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"illustrator/models/nn/nntest"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
)

// update rewrites what the scripts compare with: look at the difference before it is committed.
var update = flag.Bool("update", false, "rewrite the files that scripts compare with")

func TestMain(m *testing.M) {
	if os.Getenv("KILLS") == "" { // `make soak` kills what users run
		nntest.CompileFast()
	}
	testscript.Main(m, map[string]func(){
		"illustrator": main, "tiny-domain": tinyDomain, "check-projection": checkProjection, "write-run": writeRunCommand,
		"same-picture": samePicture,
	})
}

// TestScript runs the command lines in testdata/script. Each script starts with an empty home and no plugin; PLUGIN
// names the machine's, PLUGINS its folder, and [plugin] tells whether there is one. REPO is the repository.
func TestScript(t *testing.T) {
	plugin, installed := xla.Find("cpu")
	if !installed && os.Getenv("CI") != "" {
		t.Fatal("no XLA CPU plugin")
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			if err := os.MkdirAll(home, 0o755); err != nil {
				return err
			}
			for name, value := range map[string]string{
				"HOME": home, "PLUGIN": plugin, "PLUGINS": filepath.Dir(plugin),
				"PJRT_PLUGIN_LIBRARY_PATH": filepath.Join(env.WorkDir, "plugins"),
				"GOMLX_BACKEND":            "", "XDG_CACHE_HOME": "", "REPO": repository, "XLA_FLAGS": os.Getenv("XLA_FLAGS"),
				programs.FolderEnv: os.Getenv(programs.FolderEnv),
			} {
				env.Setenv(name, value)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "plugin" {
				return installed, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}
