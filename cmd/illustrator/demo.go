package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/album"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/host"
	"illustrator/models/stylegan2"
)

func newDemoCommand(opts *terminal.Options) *cobra.Command {
	var out, config, domain string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the main job from end to end on an embedded domain",
		Long: `Samples pairs, trains the mapper, draws the domain's test descriptions and measures how well they match.
Re-running skips completed steps: a second call only prints the result.`,
		Example: `  illustrator demo
  illustrator demo --domain chapel
  illustrator demo --config examples/run.yaml --out runs/small`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if domain != "" {
				config = domain
			}
			return runDemo(cmd.Context(), opts, config, cmp.Or(out, "runs/"+strings.Trim("demo-"+domain, "-")))
		},
	}
	cmd.Flags().StringVar(&domain, "domain", "", "embedded domain, such as whiskers, trained by the run of its name")
	cmd.Flags().StringVar(&config, "config", "lorelei",
		"run: an embedded one or the path of a YAML file; its domain must have descriptions")
	cmd.Flags().StringVarP(&out, "out", "o", "", "the run's folder (default runs/demo, or runs/demo-NAME for a domain)")
	cmd.MarkFlagsMutuallyExclusive("domain", "config")
	return cmd
}

func runDemo(ctx context.Context, opts *terminal.Options, config, out string) error {
	began := time.Now()
	run, err := configs.OpenRun(config, nil)
	if err != nil {
		return err
	}
	s, err := readDomain(opts, run.Domain)
	if err != nil {
		return err
	}
	descriptions, err := s.domain.Texts()
	if err != nil {
		return err
	}
	if err := terminal.CheckOutputFolder(out); err != nil {
		return err
	}
	job := jobOf(opts, s, run, out)
	info, err := job.Finished()
	if err != nil {
		return err
	}
	pictures := job.Folder.Pictures()
	summaryPath := filepath.Join(pictures, album.SummaryFile)
	var summary album.Summary
	if raw, err := os.ReadFile(summaryPath); info != nil && err == nil && json.Unmarshal(raw, &summary) == nil {
		return opts.Println(summary.Text(pictures))
	}
	of, err := demoAlbum(s.model(), descriptions, pictures)
	if err != nil {
		return err
	}
	job.Env.Then = []host.Part{album.Part(s.model(), of.Requests)}
	if err := job.LogEstimate("demo"); err != nil {
		return err
	}
	if _, err := job.Train(ctx); err != nil {
		return err
	}
	a := artistOptions{mapperOptions: mapperOptions{run: out}}.artist(opts, s)
	if err := a.load(ctx, false); err != nil {
		return err
	}
	if summary, err = a.album(ctx, of); err != nil {
		return fmt.Errorf("draw the descriptions: %w", err)
	}
	summary.Seconds = time.Since(began).Seconds()
	if err := jsonfile.Write(summaryPath, summary); err != nil {
		return err
	}
	return opts.Println(summary.Text(pictures))
}

// demoAlbum plans the pictures of descriptions. Their folder may hold no others.
func demoAlbum(m draw.Model, descriptions []texts.Text, folder string) (album.Album, error) {
	of := album.Album{Out: folder}
	var err error
	of.Requests, err = m.Requests(
		draw.Spec{Settings: draw.Settings{NoiseMode: stylegan2.NoiseConst}}, nil, draw.DefaultLimits(), descriptions...)
	if err != nil {
		return of, err
	}
	err = of.OwnFolder(true)
	return of, fault.Usage(err, "name another folder with --out, or remove them")
}
