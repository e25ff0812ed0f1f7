package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"illustrator/checkpoints"
	"illustrator/checkpoints/fetch"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// Sources say where a domain's networks are published, for `illustrator fetch`: each in one or more forms, of which the
// first that can be had is taken.
type Sources struct {
	Generator []Source `yaml:"generator,omitempty"`
	CLIP      []Source `yaml:"clip,omitempty"`
}

// Source is a published network as `illustrator convert` reads it: a file, or a folder of several. Where none of them
// is a config.json the first is the network, and the others belong beside it.
type Source struct {
	// About says whose network it is, and in which layout.
	About string `yaml:"about"`
	// Licence is shown, and must be accepted before anything is downloaded.
	Licence string `yaml:"licence"`
	// ColorOrder is the order of the channels that a generator produces: "RGB", "BGR", or "" for the layout's own.
	ColorOrder stylegan2.ColorOrder `yaml:"color_order,omitempty"`
	Files      []fetch.File         `yaml:"files"`
}

// Path returns what `illustrator convert` reads, of files that are in folder.
func (s Source) Path(folder string) string {
	for _, f := range s.Files {
		if f.Name() == checkpoints.ConfigFile {
			return folder
		}
	}
	return filepath.Join(folder, s.Files[0].Name())
}

// weightsPrefix begins a location within the folder of fetched weights, such as "weights:stylegan2-cat-256".
const weightsPrefix = "weights:"

// WeightsEnv names the environment variable with the folder of fetched weights.
const WeightsEnv = "ILLUSTRATOR_WEIGHTS"

// WeightsFolder returns the folder of fetched networks: $ILLUSTRATOR_WEIGHTS, or else illustrator/weights in the user's
// cache ($XDG_CACHE_HOME or ~/.cache on Linux), so that every working directory finds them.
func WeightsFolder() string {
	if folder := os.Getenv(WeightsEnv); folder != "" {
		return folder
	}
	cache, err := os.UserCacheDir()
	if err != nil { // a system without homes
		return "weights"
	}
	return filepath.Join(cache, "illustrator", "weights")
}

// Published is a network of a domain that can be fetched.
type Published struct {
	Network string // "generator" or "clip"
	Folder  string // where it belongs, as seen from the working directory
	Sources []Source
}

// Published lists the networks that have sources.
func (d *Domain) Published() []Published {
	var all []Published
	for _, p := range []Published{
		{"generator", d.resolve(d.Generator), d.Sources.Generator},
		{"clip", d.resolve(d.CLIP), d.Sources.CLIP},
	} {
		if len(p.Sources) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// checkFetched returns an error that names the first network which can be fetched and is not there.
func (d *Domain) checkFetched() error {
	for _, p := range d.Published() {
		if p.There() {
			continue
		}
		err := fault.Hint(fmt.Errorf("domain %s: its %s is not here yet: there is no %s", d.Name, p.Network, p.Folder),
			"fetch it; $%s names another folder for weights", WeightsEnv)
		return fault.WithCode(err, NotFetched, d.ref, WeightsEnv)
	}
	return nil
}

// There reports whether the network's folder is there.
func (p Published) There() bool {
	_, err := os.Stat(filepath.Join(p.Folder, checkpoints.ConfigFile))
	return err == nil
}

// validate returns an error that names the first invalid field of the sources.
func (d *Domain) validateSources() error {
	for _, p := range d.Published() {
		if strings.HasPrefix(p.Folder, checkpoints.EmbeddedPrefix) {
			return fault.Usage(fmt.Errorf("sources.%s is given, but %s is %q", p.Network, p.Network, p.Folder),
				"leave it out: an embedded network is there")
		}
		for i, s := range p.Sources {
			field := fmt.Sprintf("sources.%s[%d]", p.Network, i)
			if s.Licence == "" {
				return fault.Usage(fmt.Errorf("%s.licence is missing", field), "say under which licence the network is published")
			}
			if s.ColorOrder != "" && p.Network != "generator" {
				return fault.Usage(fmt.Errorf("%s.color_order is %q", field, s.ColorOrder),
					"leave it out: only a generator has a color order")
			}
			if len(s.Files) == 0 {
				return fault.Usage(fmt.Errorf("%s.files is missing", field), "name the files: url, size and sha256 of each")
			}
			for k, f := range s.Files {
				if err := f.Validate(); err != nil {
					return fmt.Errorf("%s.files[%d]: %w", field, k, err)
				}
			}
		}
	}
	return nil
}
