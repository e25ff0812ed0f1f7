package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/configs/published"
	"illustrator/internal/fault"
)

const fetchLong = `Downloads the published networks of a domain, verifies size and SHA-256, and converts them into the
folder of weights ($ILLUSTRATOR_WEIGHTS, else illustrator/weights in the user's cache). It keeps existing networks. It
removes the downloaded files afterwards; --keep leaves them in downloads within that folder.

Without --accept-license it shows the licences and downloads nothing. The flag states that you have read and accept
them.

An interrupted download resumes; so does the same command after Ctrl-C or a full disk. Without a network, bring the
files that it names and pass them with --from. --mirror ADDRESS takes files from ADDRESS followed by the path of their
own address. HF_ENDPOINT and HF_TOKEN apply to the Hugging Face hub.`

type fetchOptions struct {
	mirror               string
	from                 []string
	accept, keep, asJSON bool
}

func newFetchCommand(opts *terminal.Options) *cobra.Command {
	var f fetchOptions
	cmd := &cobra.Command{
		Use:   "fetch DOMAIN",
		Short: "Download and convert the published networks of a domain",
		Long:  fetchLong,
		Example: `  illustrator fetch cats-256
  illustrator fetch cats-256 --accept-license
  illustrator fetch cats-256 --accept-license --from stylegan2-cat-config-f.pt --from clip-vit-base-patch32`,
		Args: terminal.ExactArgs(1, "the domain: "+strings.Join(configs.Names("domains"), ", ")+
			", or the path of a YAML file"),
		RunE: func(cmd *cobra.Command, args []string) error { return runFetch(cmd.Context(), opts, f, args[0]) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.accept, "accept-license", false, "accept the licences of the networks")
	flags.StringArrayVar(&f.from, "from", nil,
		"`path` of a file or folder brought by hand, in place of a download; may be repeated")
	flags.StringVar(&f.mirror, "mirror", "", "address that takes the place of scheme and host of all downloads")
	flags.BoolVar(&f.keep, "keep", false, "keep the files that are downloaded")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func runFetch(ctx context.Context, opts *terminal.Options, f fetchOptions, ref string) error {
	domain, err := configs.OpenDomain(ref)
	if err != nil {
		return err
	}
	if len(domain.Published()) == 0 {
		return fault.Usage(fmt.Errorf("domain %s has no sources to fetch from", domain.Name),
			"its networks are within the program, or where its file says; use it as it is")
	}
	job := &published.Job{Env: opts.Env(), Domain: domain, Mirror: f.mirror, From: f.from, Keep: f.keep}
	if err := checkLicences(opts, job, f.accept, ref); err != nil {
		return err
	}
	networks, err := job.Fetch(ctx)
	if err != nil {
		return explainFetch(err, ref)
	}
	folders := make([]string, len(networks))
	for i, n := range networks {
		folders[i] = n.Folder
	}
	return opts.PrintResult(f.asJSON, networks, strings.Join(folders, "\n"))
}

// checkLicences shows the licences of the missing networks, which must be accepted.
func checkLicences(opts *terminal.Options, job *published.Job, accepted bool, ref string) error {
	missing, shown := job.Missing(), map[string]bool{}
	for _, n := range missing {
		for _, source := range n.Sources {
			if !shown[source.Licence] {
				opts.Log.Info(fmt.Sprintf("licence of the %s: %s", n.Network, source.Licence))
				shown[source.Licence] = true
			}
		}
	}
	if len(missing) > 0 && !accepted {
		return fault.Usage(fmt.Errorf("the licences of domain %s's networks are not accepted", job.Domain.Name),
			"read them; if you accept them, run `illustrator fetch %s --accept-license`", ref)
	}
	return nil
}

// explainFetch gives an error its hint.
func explainFetch(err error, ref string) error {
	var unreachable *published.Unreachable
	var other *published.OtherFiles
	switch {
	case errors.As(err, &unreachable):
		return fault.Hint(err, "%s", hintToBring(unreachable.Missing, ref, fault.HintOf(err)))
	case errors.As(err, &other):
		return fault.Hint(err,
			"bring one of the files that the domain names; other weights become a domain of their own "+
				"with `illustrator convert` and a YAML file, or, unverified, this one's: `illustrator convert %s --out %s`",
			other.Path, other.Folder)
	}
	return err
}

// hintToBring says which files to bring by hand, after what the server's answer suggests.
func hintToBring(networks []configs.Published, ref, first string) string {
	if first != "" {
		first += "; "
	}
	command := fmt.Sprintf("illustrator fetch %s --accept-license", ref)
	for _, n := range networks {
		command += " --from " + map[bool]string{true: "FOLDER", false: "FILE"}[n.Sources[0].Path("") == ""]
	}
	return fmt.Sprintf("%swithout a network, bring by hand %s, and run the same command again; "+
		"from other places `%s` takes them", first, published.FilesToBring(networks), command)
}
