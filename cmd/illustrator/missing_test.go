package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
)

// missing are command lines with an input that does not exist, by command.
var missing = map[string][]string{
	"ablate": {
		"ablate nothing", "ablate --grid nothing.yaml", "ablate prompts --run nothing",
		"ablate losses --pairs nothing",
	},
	"bench plan": {"bench plan --config nothing.yaml"},
	"cartoonize": {"cartoonize nothing.png", "cartoonize nothing"},
	"convert":    {"convert nothing.pt --out converted"},
	"demo":       {"demo --config nothing.yaml", "demo --config nothing"},
	"doctor":     {"doctor --config nothing.yaml"},
	"embed": {
		"embed --images nothing.png --out e.npy", "embed --texts nothing.txt --out e.npy",
		"embed x --domain nothing.yaml --out e.npy",
	},
	"eval": {
		"eval nothing", "eval --mapper nothing", "eval --texts nothing.txt", "eval --reference nothing",
		"eval --domain nothing.yaml", "eval --clip nothing", "eval --inception nothing", "eval --lpips nothing",
	},
	"fetch": {"fetch nothing", "fetch nothing.yaml", "fetch cats-256 --accept-license --from nothing"},
	"generate": {
		"generate --texts nothing.txt", "generate x --run nothing", "generate x --mapper nothing",
		"generate x --prompts nothing", "generate x --domain nothing",
	},
	"illustrate":  {"illustrate nothing.txt", "illustrate nothing.txt --run nothing"},
	"inspect":     {"inspect nothing"},
	"interpolate": {"interpolate seed:1 nothing.png", "interpolate seed:1 seed:2 --run nothing"},
	"manipulate": {
		"manipulate --from nothing.png --to x", "manipulate --from seed:1 --to x --mapper nothing",
	},
	"pairs":        {"pairs --rows 9 --domain nothing.yaml --out p"},
	"pairs export": {"pairs export nothing --format npy --out e"},
	"pairs import": {"pairs import nothing.pth --out p"},
	"pairs info":   {"pairs info nothing"},
	"pairs merge":  {"pairs merge merged nothing"},
	"pairs verify": {"pairs verify nothing"},
	"prompt":       {"prompt --pairs nothing --out p.safetensors"},
	"render":       {"render --z nothing.npy --out r", "render --seeds 1 --domain nothing.yaml --out r"},
	"runs compare": {"runs compare nothing", "runs compare a/nothing"},
	"runs list":    {"runs list nothing"},
	"runs pack":    {"runs pack nothing --out packed"},
	"runs rm":      {"runs rm nothing --yes"},
	"runs show":    {"runs show nothing"},
	"schema":       {"schema nothing"},
	"serve": {
		"serve --domain nothing.yaml", "serve --run nothing", "serve --mapper nothing",
		"serve --token-file nothing", "serve --listen nothing",
	},
	"setup":         {"setup --plugin nothing.so", "setup --cuda --from nothing"},
	"study analyse": {"study analyse x.json --study nothing"},
	"study export":  {"study export nothing other --out p", "study export nothing/a nothing/b --out p"},
	"train": {
		"train --config nothing.yaml", "train --pairs nothing", "train --validation-pairs nothing --dry-run",
		"train --domain nothing.yaml", "train --set init=nothing --dry-run",
	},
}

// noInput are the commands that take no input which may be missing.
var noInput = []string{"bench", "bench batch", "completion", "help", "version", "verify-plugin", "runs", "study"}

// TestMissingInput has one exit code for one mistake: what the user names is not there, in any command.
func TestMissingInput(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("ILLUSTRATOR_WEIGHTS", t.TempDir())
	for command, lines := range missing {
		for _, line := range lines {
			args := strings.Fields(line)
			if code, output := illustrator(t, args...); code != terminal.ExitUsage || !strings.Contains(output, "nothing") {
				t.Errorf("%s: %q: exit code %d: %s", command, line, code, output)
			}
		}
	}
	for _, name := range commandNames(newRootCommand(terminal.NewOptions("illustrator", t.Output(), t.Output())), "") {
		if missing[name] == nil && !slices.Contains(noInput, name) {
			t.Errorf("no line has an input of %q that is missing", name)
		}
	}
}

// commandNames lists the commands below cmd that run.
func commandNames(cmd *cobra.Command, before string) (names []string) {
	for _, c := range cmd.Commands() {
		name := strings.TrimSpace(before + " " + c.Name())
		if c.RunE != nil || c.Run != nil {
			names = append(names, name)
		}
		names = append(names, commandNames(c, name)...)
	}
	return names
}
