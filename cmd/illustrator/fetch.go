package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/checkpoints/fetch"
	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/convert"
	"illustrator/models/pipeline"
)

const fetchLong = `Downloads the published networks of a domain, verifies size and SHA-256, and converts them into the folder of weights
($ILLUSTRATOR_WEIGHTS, else illustrator/weights in the user's cache). What is there already is kept. The files downloaded
are removed after that; --keep leaves them in downloads within that folder.

It shows the licences first, and downloads nothing until --accept-license says that you have read and accept them.

A download that breaks off goes on from where it broke; so does the same command after Ctrl-C or a full disk. Without a
network, bring the files that it names and give them with --from. --mirror ADDRESS takes files from ADDRESS followed by
the path of their own address. Of the Hugging Face hub, HF_ENDPOINT and HF_TOKEN are honoured.`

type fetchOptions struct {
	mirror               string
	from                 []string
	accept, keep, asJSON bool
}

func newFetchCommand(opts *globalOptions) *cobra.Command {
	var f fetchOptions
	cmd := &cobra.Command{
		Use:   "fetch DOMAIN",
		Short: "Download and convert the published networks of a domain",
		Long:  fetchLong,
		Example: `  illustrator fetch cats-256
  illustrator fetch cats-256 --accept-license
  illustrator fetch cats-256 --accept-license --from stylegan2-cat-config-f.pt --from clip-vit-base-patch32`,
		Args: terminal.ExactArgs(1, "the domain: "+strings.Join(configs.Names("domains"), ", ")+", or the path of a YAML file"),
		RunE: func(cmd *cobra.Command, args []string) error { return runFetch(cmd.Context(), opts, f, args[0]) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.accept, "accept-license", false, "accept the licences of the networks")
	flags.StringArrayVar(&f.from, "from", nil, "a file or folder brought by hand, in place of a download; may be repeated")
	flags.StringVar(&f.mirror, "mirror", "", "address that takes the place of scheme and host of all downloads")
	flags.BoolVar(&f.keep, "keep", false, "keep the files that are downloaded")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

// fetched is what became of a network.
type fetched struct {
	Network string `json:"network"`
	Folder  string `json:"folder"`
	// Verified says what its file was compared with, Report what it was converted to. Both are empty if the network was
	// there before.
	Verified string          `json:"verified,omitempty"`
	Report   *convert.Report `json:"report,omitempty"`
}

func runFetch(ctx context.Context, opts *globalOptions, f fetchOptions, ref string) error {
	domain, err := configs.OpenDomain(ref)
	if err != nil {
		return err
	}
	networks := domain.Published()
	if len(networks) == 0 {
		return fault.Usage(fmt.Errorf("domain %s has no sources to fetch from", domain.Name), "its networks are within the program, or where its file says; use it as it is")
	}
	if err := opts.checkLicences(domain, networks, f, ref); err != nil {
		return err
	}
	folder := configs.WeightsFolder()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fault.Hint(fmt.Errorf("make the folder of weights: %w", err), "set %s to a folder that you may write to, here and for later commands", configs.WeightsEnv)
	}
	unlock, err := fetch.Lock(folder)
	if err != nil {
		return err
	}
	results, err := opts.fetchNetworks(ctx, networks, f, ref)
	if err = errors.Join(err, unlock()); err != nil {
		return fmt.Errorf("fetch %s: %w", domain.Name, err)
	}
	opened, err := pipeline.Open(nil, domain.Locations())
	if err == nil {
		err = domain.CheckNetworks(opened)
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		return jsonfile.Print(opts.stdout, results)
	}
	for _, r := range results {
		if _, err := fmt.Fprintln(opts.stdout, r.Folder); err != nil {
			return err
		}
	}
	return nil
}

// checkLicences shows the licences of the networks that are not there yet, which must be accepted.
func (o *globalOptions) checkLicences(domain *configs.Domain, networks []configs.Published, f fetchOptions, ref string) error {
	needed, shown := false, map[string]bool{}
	for _, n := range networks {
		if n.There() {
			continue
		}
		needed = true
		for _, source := range n.Sources {
			if !shown[source.Licence] {
				o.log.Info(fmt.Sprintf("licence of the %s: %s", n.Network, source.Licence))
				shown[source.Licence] = true
			}
		}
	}
	if needed && !f.accept {
		return fault.Usage(fmt.Errorf("the licences of domain %s's networks are not accepted", domain.Name),
			"read them; if you accept them, run `illustrator fetch %s --accept-license`", ref)
	}
	return nil
}

// fetchNetworks brings all networks that are not there. What was brought by hand is looked at before anything is downloaded.
func (o *globalOptions) fetchNetworks(ctx context.Context, networks []configs.Published, f fetchOptions, ref string) ([]fetched, error) {
	brought, err := matchBrought(networks, f.from)
	if err != nil {
		return nil, err
	}
	var results []fetched
	for _, n := range networks {
		if n.There() {
			o.log.Info(fmt.Sprintf("the %s is there already: %s", n.Network, n.Folder))
			results = append(results, fetched{Network: n.Network, Folder: n.Folder})
			continue
		}
		original, isBrought := brought[n.Network]
		if !isBrought {
			original, err = o.download(ctx, n, f)
			if errors.Is(err, fetch.ErrUnreachable) {
				err = fault.Hint(err, "%s", hintToBring(missing(networks, brought), ref, fault.HintOf(err)))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.Network, err)
			}
		}
		r, err := o.convertOriginal(n, original)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Network, err)
		}
		results = append(results, r)
		if !isBrought && !f.keep {
			if err := os.RemoveAll(downloads(n)); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// original is a published network as it was downloaded or brought: a file, or a folder of several.
type original struct {
	path   string
	source configs.Source
}

// convertOriginal makes the network's folder.
func (o *globalOptions) convertOriginal(n configs.Published, from original) (fetched, error) {
	o.log.Info(fmt.Sprintf("converting %s", from.path))
	report, err := convert.Convert(from.path, n.Folder, convert.Options{ColorOrder: from.source.ColorOrder})
	if err != nil {
		return fetched{}, fmt.Errorf("convert %q: %w", from.path, err)
	}
	var verified []string
	for _, file := range from.source.Files {
		verified = append(verified, fmt.Sprintf("%s: %s", file.Name(), file.Known()))
		if file.SHA256 == "" {
			o.log.Warn(fmt.Sprintf("%s, so it is not verified", verified[len(verified)-1]))
		}
	}
	return fetched{Network: n.Network, Folder: n.Folder, Verified: strings.Join(verified, "; "), Report: &report}, nil
}

// downloads is the folder that a network's files are downloaded into.
func downloads(n configs.Published) string {
	return filepath.Join(configs.WeightsFolder(), "downloads", filepath.Base(n.Folder))
}

// download gets the network's files from the first source that has them.
func (o *globalOptions) download(ctx context.Context, n configs.Published, f fetchOptions) (found original, err error) {
	folder := downloads(n)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return found, err
	}
	for i, source := range n.Sources {
		if i > 0 {
			o.log.Warn(fmt.Sprintf("%v; taking %s instead", err, source.About))
		}
		found = original{source.Path(folder), source}
		if err = o.downloadSource(ctx, source, folder, f.mirror); !errors.Is(err, fetch.ErrUnreachable) {
			break
		}
	}
	return found, err
}

func (o *globalOptions) downloadSource(ctx context.Context, source configs.Source, folder, mirror string) error {
	const mega = 1_000_000
	for _, file := range source.Files {
		var bar *terminal.Progress
		client := &fetch.Client{Mirror: mirror, Log: func(line string) { o.log.Warn(line) }}
		client.Progress = func(name string, done, total int64) {
			if bar == nil {
				bar = o.NewProgress(fmt.Sprintf("Downloading %s (MB)", name), int((total+mega-1)/mega))
			}
			bar.Set(int((done+mega-1)/mega), "")
		}
		err := client.Get(ctx, file, filepath.Join(folder, file.Name()))
		if bar != nil {
			bar.Done()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
