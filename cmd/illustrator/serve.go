package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/serve"
	"illustrator/train/runs"
)

const serveLong = `Serves a page to draw on, and a JSON API (/openapi.json describes it), until Ctrl-C or a
termination signal. Then it refuses new work and finishes accepted work: exit code 0, or 130 (75 after SIGTERM) if
that took longer than --grace and was dropped.

One device draws the pictures of all requests, in batches. A full queue answers 429 with Retry-After; a client that
disconnects cancels its work. With several --run of a domain the page compares the runs' mappers. Several domains, by
--domain or by their runs, have an address each, /domains/NAME/. The page switches between them; the first is at / too.

The server listens on this machine only, unless --listen names another address. Give it a token then: in a file with
--token-file, or in ILLUSTRATOR_TOKEN. The page asks for it; programs send "Authorization: Bearer TOKEN". Connections
are not encrypted: put a proxy with TLS in front. /healthz, /readyz and /metrics serve monitoring.

Pictures are kept in memory, or with --gallery in a folder of PNG files with their settings as metadata. New pictures
replace the oldest beyond --gallery-pictures or --gallery-bytes. A folder that holds more at the start is an error:
raise the limits, or give --gallery-trim to remove the oldest. One server uses a folder at a time. Every client sees
all pictures.

Behind a proxy the page works below any path, if the path ends with a slash. --base-path names that path for the
addresses in the API's answers; the proxy may strip it or not. A proxy named by --proxy may send X-Forwarded-Prefix
instead, and X-Forwarded-Host and -For; those of other clients are ignored. Clients of a proxy share its address, so
it must bound their connections itself; --max-connections-per-address does not apply to it.

A request may ask for best-of and refinement, as in illustrator generate: between two batches the device takes one step
of a refinement. --cartoon-style adds a network to the styles of pictures (illustrator
cartoonize --help describes its file), under the file's name without .yaml.`

type serveOptions struct {
	mapper, listen, tokenFile, gallery, basePath string

	domains, runs, styles, proxies []string

	batch  int
	pad    bool
	grace  time.Duration
	limits serve.Limits
}

func newServeCommand(opts *terminal.Options) *cobra.Command {
	o := serveOptions{limits: serve.DefaultLimits()}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a page and an API to draw with",
		Long:  serveLong,
		Example: `  illustrator serve
  illustrator serve --run examples/runs/first --run examples/runs/second --gallery pictures
  illustrator serve --run examples/runs/first --run examples/runs/tiny
  illustrator serve --listen 0.0.0.0:8080 --token-file token`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd, opts, o) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.domains, "domain", nil, "`domains`: names of embedded ones or paths of YAML files, with "+
		"commas between or the flag repeated (default lorelei, or the runs')")
	flags.StringArrayVar(&o.runs, "run", nil,
		"`folder` of a run: its domain, its best mapper and its prompts are used; may be repeated")
	flags.StringVar(&o.mapper, "mapper", "", "folder of a mapper, without --run (default the domain's)")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address and port; port 0 takes a free one")
	flags.StringVar(&o.tokenFile, "token-file", "", "file of the token that requests must bear (default $"+
		serve.TokenVariable+", else none)")
	flags.StringVar(&o.gallery, "gallery", "", "folder that keeps the pictures (default memory)")
	flags.IntVar(&o.limits.Gallery.Pictures, "gallery-pictures", o.limits.Gallery.Pictures,
		"pictures that are kept at most")
	flags.Int64Var(&o.limits.Gallery.Bytes, "gallery-bytes", o.limits.Gallery.Bytes,
		"bytes of all pictures that are kept")
	flags.BoolVar(&o.limits.Gallery.Trim, "gallery-trim", false,
		"remove the oldest pictures at the start if the folder holds more than is kept")
	flags.StringArrayVar(&o.styles, "cartoon-style", nil,
		"a network's .yaml `file`, as another style of pictures; may be repeated")
	flags.IntVar(&o.batch, "batch", slices.Max(o.limits.Shapes),
		"pictures that the device draws at once, 32 at most: less needs less memory")
	flags.IntVar(&o.limits.Waiting, "queue", o.limits.Waiting, "pictures of a domain that wait at most")
	flags.IntVar(&o.limits.Pictures, "max-pictures", o.limits.Pictures,
		"pictures that one request may ask for, of each run")
	flags.IntVar(&o.limits.BestOf, "max-best-of", o.limits.BestOf, "candidates that a picture may be chosen from")
	flags.IntVar(&o.limits.Refine, "max-refine", o.limits.Refine,
		"steps that a picture may be refined by; 0 starts sooner, without refinements")
	flags.IntVar(&o.limits.Text, "max-text", o.limits.Text, "characters of a description")
	addPadFlag(cmd, &o.pad)
	opts.AddPrecisionFlag(flags)
	flags.Int64Var(&o.limits.UploadBytes, "max-upload", o.limits.UploadBytes, "bytes of an uploaded picture")
	flags.StringVar(&o.basePath, "base-path", "", "path below which a proxy serves it, such as /tools/illustrator/")
	flags.StringArrayVar(&o.proxies, "proxy", nil,
		"`address` or network of a proxy whose X-Forwarded headers are believed; may be repeated")
	connections := &o.limits.Connections
	flags.IntVar(&connections.All, "max-connections", connections.All, "connections that are open at most")
	flags.IntVar(&connections.PerAddress, "max-connections-per-address", connections.PerAddress,
		"those of one address, except proxies and this machine; 0 sets no bound")
	flags.DurationVar(&o.grace, "grace", 30*time.Second, "time to finish what was accepted")
	return cmd
}

func runServe(cmd *cobra.Command, opts *terminal.Options, o serveOptions) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	token, err := serve.ReadToken(o.tokenFile)
	if err != nil {
		return err
	}
	if len(o.runs)+len(o.domains) == 0 {
		o.domains = []string{"lorelei"}
	}
	if _, err := opts.BackendName(); err != nil {
		return err
	}
	env := opts.Env().OneDevice()
	choice := runs.Served{Domains: domainsOf(o.domains), Runs: o.runs, Mapper: o.mapper, Pad: o.pad,
		Precision: opts.Precision}
	opened, err := choice.Open(cmd.Context(), env)
	if err != nil {
		return err
	}
	domains, err := served(opened)
	if err != nil {
		return err
	}
	styles, err := serve.OpenStyles(o.styles, func() (compute.Backend, error) { return env.Backend(1) })
	if err != nil {
		return err
	}
	listener, err := serve.Listen(o.listen, token, opts.Log)
	if err != nil {
		return err
	}
	defer listener.Close()
	server, err := serve.New(serve.Options{
		Domains: domains, Styles: styles, Limits: o.limits, Folder: o.gallery, Token: token, Software: version.Program(),
		Grace: o.grace, Log: opts.Log, BasePath: o.basePath,
	})
	if err != nil {
		return err
	}
	for _, of := range opened {
		if err := env.Start(of.Networks); err != nil {
			return err
		}
	}
	if o.basePath != "" {
		o.basePath += "/"
	}
	if _, err := fmt.Fprintf(opts.Stdout, "http://%s%s\n", listener.Addr(), o.basePath); err != nil {
		return err
	}
	return server.Serve(cmd.Context(), listener)
}

// check refuses settings that no server can have.
func (o *serveOptions) check() (err error) {
	if err := o.limits.Check(o.batch, len(o.runs)); err != nil {
		return err
	}
	if o.grace < 0 {
		return fault.Usage(fmt.Errorf("--grace is %v", o.grace), "give a duration such as 30s; 0 leaves at once")
	}
	if o.mapper != "" && len(o.runs) > 0 {
		return fault.Usage(errors.New("--mapper and --run are given"), "give one of them")
	}
	if o.limits.Connections.Proxies, err = serve.ParseProxies(o.proxies); err != nil {
		return err
	}
	o.basePath, err = serve.CheckBasePath(o.basePath)
	return err
}

// domainsOf cuts lists of domains at their commas; the path of a file that exists stays whole.
func domainsOf(lists []string) (domains []string) {
	for _, list := range lists {
		if _, err := os.Stat(list); err == nil {
			domains = append(domains, list)
		} else {
			domains = append(domains, strings.Split(list, ",")...)
		}
	}
	return domains
}

// served describes the domains to the server.
func served(opened []*runs.Opened) (all []serve.Domain, err error) {
	for _, of := range opened {
		d := serve.Domain{
			Name: of.Domain.Name, About: strings.TrimSpace(of.Domain.About), TextPrompt: of.Domain.TextPrompt,
			Alpha: of.Domain.Alpha, Models: of.Models,
		}
		if d.Examples, err = of.Domain.Examples(48); err != nil {
			return nil, err
		}
		if d.Known, err = of.Domain.Known(); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}
