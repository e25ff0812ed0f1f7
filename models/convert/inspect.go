package convert

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
)

// Inspection holds what a file or folder says of itself before any weight is read.
type Inspection struct {
	Path string `json:"path"`
	// Files are those that hold tensors, and an index beside them; Format is the kind of container,
	// Bytes their size together.
	Files  []string `json:"files"`
	Format string   `json:"format"`
	Bytes  int64    `json:"bytes"`
	// Kind is the network that was recognised, Title it in words; empty with a Problem, which says why nothing was, or
	// what is wrong with the network.
	Kind    Kind   `json:"kind,omitempty"`
	Title   string `json:"title,omitempty"`
	Problem string `json:"problem,omitempty"`
	Hint    string `json:"hint,omitempty"`
	Err     error  `json:"-"` // the Problem
	// Network is the configuration in words, Config as convert would write it, Dropped what convert would leave out.
	Network string   `json:"network,omitempty"`
	Config  any      `json:"config,omitempty"`
	Dropped []string `json:"dropped,omitempty"`
	// Tensors are all tensors of the files, recognised or not. Those in a dict within a file have its name before a slash.
	Tensors []checkpoints.Info `json:"tensors"`
}

// Inspect tells what is at path: a weight file of any kind that Convert reads, a folder, or embedded weights, such as
// "embedded:shared/clip". It reads headers alone of files and folders. An error means that the file cannot be read; a
// network that is not known, or not supported, is a Problem.
func Inspect(path string, opts Options) (Inspection, error) {
	in := Inspection{Path: path, Files: []string{path}, Tensors: []checkpoints.Info{}}
	if strings.HasPrefix(path, checkpoints.EmbeddedPrefix) {
		err := in.embedded()
		return in, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return in, fault.Hint(err, "name a weight file, or the folder of a network")
	}
	s := &source{path: path, headers: true}
	defer s.close()
	if info.IsDir() {
		err = in.folder(s)
	} else {
		err = in.file(s)
	}
	if err != nil {
		return in, err
	}
	for _, file := range in.Files {
		of, err := os.Stat(file)
		if err != nil {
			return in, err
		}
		in.Bytes += of.Size()
	}
	if in.Problem == "" {
		in.network(s, opts)
	}
	return in, nil
}

func (in *Inspection) file(s *source) error {
	if err := s.openFile(); err != nil {
		return err
	}
	in.Dropped = s.dropped
	in.Format = "safetensors"
	if s.torch != nil {
		in.Format = s.torch.Format()
		var err error
		if in.Tensors, err = s.torch.List(); err != nil {
			return err
		}
	} else {
		in.Tensors = s.safetensors.List()
	}
	if err := s.recognizeFile(); err != nil {
		in.problem(err)
	}
	return nil
}

// folder lists the weights of a folder: those of a layout that is known, or model.safetensors.
func (in *Inspection) folder(s *source) error {
	in.Format = "folder"
	kind, problem := recognizeFolder(s.path)
	if problem != nil {
		in.problem(problem)
	}
	s.kind = kind
	var w *checkpoints.Weights
	var err error
	if kind == CLIPOpenCLIP {
		in.Files = make([]string, 1)
		w, in.Files[0], err = s.readFirst(s.path, openCLIPWeights)
	} else {
		w, in.Files, err = s.readHuggingFace()
	}
	if err != nil && problem != nil {
		return problem
	}
	if err != nil {
		return err
	}
	in.Tensors = w.List()
	return in.folderForm(s.path)
}

// folderForm recognises what Convert has written.
func (in *Inspection) folderForm(path string) error {
	if !exists(filepath.Join(path, checkpoints.ManifestFile)) {
		return nil
	}
	f, err := checkpoints.Open(path)
	if err != nil {
		return err
	}
	return in.form(f)
}

// embedded describes a folder within the program.
func (in *Inspection) embedded() error {
	f, err := checkpoints.Open(in.Path)
	if err != nil {
		return err
	}
	w, err := f.Weights()
	if err != nil {
		return err
	}
	in.Files, in.Tensors = []string{in.Path + "/" + checkpoints.WeightsFile}, w.List()
	in.Bytes = f.Manifest().Files[checkpoints.WeightsFile].Size
	return in.form(f)
}

func (in *Inspection) form(f *checkpoints.Folder) error {
	var config map[string]any
	if err := f.Config(&config); err != nil {
		return err
	}
	m := f.Manifest()
	in.Problem, in.Hint = "", ""
	in.Format = "folder form"
	in.Kind, in.Title, in.Config = Kind(m.Layout), titles[Kind(m.Layout)], config
	in.Network = madeBy(m)
	if config["model_type"] == clip.ModelType {
		return in.readsAs(f)
	}
	return nil
}

// madeBy says what a folder was made by and from: a file, or the networks that a training used.
func madeBy(m *checkpoints.Manifest) string {
	text := "made by " + m.Tool
	if m.Source.File != "" {
		return fmt.Sprintf("%s of %s, SHA-256 %s", text, m.Source.File, m.Source.SHA256)
	}
	for i, name := range slices.Sorted(maps.Keys(m.Networks)) {
		text += fmt.Sprintf("%s %s %.12s", map[bool]string{true: " with", false: ","}[i == 0], name, m.Networks[name])
	}
	return text
}

// readsAs adds how a CLIP reads texts and picture files.
func (in *Inspection) readsAs(f *checkpoints.Folder) error {
	raw, err := f.ReadFile(checkpoints.ConfigFile)
	if err != nil {
		return err
	}
	cfg, err := clip.DecodeConfig(raw)
	if err != nil {
		return err
	}
	if merges, err := f.ReadFile("merges.txt"); err == nil && cfg.TextCleaning == "" {
		cfg.TextCleaning = clip.CleaningOf(merges)
	}
	p, err := clip.OpenPreprocessor(f, cfg)
	if err != nil {
		return err
	}
	in.Network += fmt.Sprintf("; texts are cleaned as %q; %v", cfg.TextCleaning, p)
	return nil
}

// network infers the configuration as Convert does.
func (in *Inspection) network(s *source, opts Options) {
	if in.Kind != "" {
		return // in folder form
	}
	in.Kind, in.Title = s.kind, titles[s.kind]
	n, err := s.load(opts)
	if err != nil {
		in.problem(err)
		return
	}
	in.Network, in.Config, in.Dropped = n.describe, n.config, n.dropped
}

func (in *Inspection) problem(err error) {
	in.Problem, in.Hint, in.Err = err.Error(), fault.HintOf(err), err
}

// Select keeps the tensors whose name holds part.
func (in *Inspection) Select(part string) {
	in.Tensors = slices.DeleteFunc(in.Tensors, func(t checkpoints.Info) bool { return !strings.Contains(t.Name, part) })
}

// Rows is the inspection as a table of names and values. Tensors are counted by type, not listed.
func (in Inspection) Rows() (rows [][]string) {
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	p := message.NewPrinter(language.English)
	several := ""
	if len(in.Files) > 1 {
		several = p.Sprintf(" in %d files", len(in.Files))
	}
	add("file", in.Path)
	add("format", p.Sprintf("%s, %d bytes%s", in.Format, in.Bytes, several))
	add("recognised", in.Title)
	add("network", in.Network)
	for _, d := range in.Dropped {
		add("dropped", d)
	}
	add("problem", in.Problem)
	add("", in.Hint)
	counts, total, bytes := map[checkpoints.DType]int{}, 0, int64(0)
	for _, t := range in.Tensors {
		counts[t.DType]++
		total += checkpoints.Tensor{Shape: t.Shape}.Elements()
		bytes += t.Bytes
	}
	add("tensors", p.Sprintf("%d with %d values in %d bytes (%s)", len(in.Tensors), total, bytes, listTypes(counts)))
	return rows
}

// Table shows the tensors, below a row of titles.
func (in Inspection) Table() [][]string {
	rows := [][]string{{"tensor", "type", "bytes", "shape"}}
	for _, t := range in.Tensors {
		rows = append(rows, []string{t.Name, string(t.DType), fmt.Sprint(t.Bytes),
			strings.ReplaceAll(fmt.Sprint(t.Shape), " ", "×")})
	}
	return rows
}
