package terminal

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Values lists the values that a flag or an argument may have; files are completed besides.
type Values func() []string

// Words returns the Values of a fixed list.
func Words(words ...string) Values { return func() []string { return words } }

// AddCompletion has shells complete flags, by their names, or by those of command and flag, and arguments, by the names
// of commands below root.
func AddCompletion(root *cobra.Command, flags, arguments map[string]Values) {
	for _, cmd := range root.Commands() {
		path := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		if values, ok := arguments[path]; ok {
			cmd.ValidArgsFunction = complete(values)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { completeFlag(cmd, path, f.Name, flags) })
		AddCompletion(cmd, flags, arguments)
	}
	if root == root.Root() {
		root.PersistentFlags().VisitAll(func(f *pflag.Flag) { completeFlag(root, "", f.Name, flags) })
	}
}

func completeFlag(cmd *cobra.Command, path, name string, flags map[string]Values) {
	values, ok := flags[path+" "+name]
	if !ok {
		values, ok = flags[name]
	}
	if ok {
		_ = cmd.RegisterFlagCompletionFunc(name, complete(values)) // fails for a flag that is registered already
	}
}

func complete(values Values) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		var fit []string
		for _, v := range values() {
			if strings.HasPrefix(v, begun) {
				fit = append(fit, v)
			}
		}
		return fit, cobra.ShellCompDirectiveDefault // files too where nothing fits
	}
}
