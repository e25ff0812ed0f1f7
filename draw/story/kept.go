package story

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"illustrator/checkpoints"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

// picture is that of one paragraph.
type picture struct {
	text texts.Text
	left string // what of its paragraph is not in text
	plan draw.Plan
	name string // of its files in the story's folder, without extension
	hash string // a hash of all that it follows from

	ready      bool // its files are there
	similarity float64
}

// record says in the JSON beside a picture which files belong to it, so that a later call knows them again.
type record struct {
	Asked string            `json:"asked_sha256"` // of all that the picture follows from
	Files map[string]string `json:"files_sha256"`
}

// info is the JSON beside a picture.
type info struct {
	draw.Record
	Story *record `json:"story,omitempty"`
}

// order gives each picture its seed, its name and its hash, and returns that of the whole story.
func (j *Job) order() (string, error) {
	plan, m := j.Plan, j.Model
	seeds, hash := plan.Seeds, make([]string, len(j.pictures))
	for n := range j.pictures {
		p := &j.pictures[n]
		seed := seeds[n%len(seeds)]
		if j.SameSeed {
			seed = seeds[0]
		}
		p.name, p.plan = draw.FileName(n, p.text.Text, seed), plan
		p.plan.Seeds = []uint64{seed}
		raw, err := json.Marshal([]any{
			version.Program(), p.text, j.Redraw.KeepPlain, j.Redraw.Scale, j.Redraw.Record(),
			m.Domain, m.Hashes, m.Prompts, p.plan,
		})
		if err != nil {
			return "", err
		}
		p.hash = checkpoints.SHA256(raw)
		hash[n] = p.hash
	}
	raw, err := json.Marshal([]any{version.Program(), j.Title, j.Language, j.Format, j.Story, hash})
	return checkpoints.SHA256(raw), err
}

func (j *Job) summaryFile() string { return filepath.Join(j.Out, "story.json") }

// done returns the summary of an earlier call that was asked for the same and whose files are all there.
func (j *Job) done(hash string) (summary Summary, ok bool) {
	raw, err := os.ReadFile(j.summaryFile())
	if err != nil || json.Unmarshal(raw, &summary) != nil || summary.Asked != hash {
		return summary, false
	}
	files := slices.Clone(summary.Pages)
	for _, p := range summary.Paragraphs {
		files = append(files, filepath.Join(j.Out, p.Picture))
	}
	return summary, !slices.ContainsFunc(files, func(f string) bool { _, err := os.Stat(f); return err != nil })
}

// begin makes the folder and finds the pictures that it has. The summary of an earlier call goes: it would speak of
// files that change from now on.
func (j *Job) begin() error {
	if err := os.MkdirAll(j.Out, 0o777); err != nil {
		return err
	}
	if err := os.Remove(j.summaryFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for n := range j.pictures {
		j.find(&j.pictures[n])
	}
	return j.removeStrays()
}

// strayName matches the temporary file that a killed call leaves of a picture or of its JSON.
var strayName = regexp.MustCompile(`^\.(.+)\.(png|json)[0-9]+$`)

// removeStrays removes the temporary files of the story's own pictures, and nothing else.
func (j *Job) removeStrays() error {
	entries, err := os.ReadDir(j.Out)
	if err != nil {
		return err
	}
	own := map[string]bool{}
	for _, p := range j.pictures {
		own[p.name] = true
	}
	for _, e := range entries {
		if match := strayName.FindStringSubmatch(e.Name()); match != nil && own[match[1]] {
			if err := os.Remove(filepath.Join(j.Out, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// find looks whether an earlier call was asked for a picture, and its files are as it wrote them.
func (j *Job) find(p *picture) {
	var there info
	raw, err := os.ReadFile(filepath.Join(j.Out, p.name+".json"))
	if err != nil || json.Unmarshal(raw, &there) != nil || there.Story == nil || there.Story.Asked != p.hash {
		return
	}
	files, err := j.files(p)
	if err != nil {
		return
	}
	for name, sum := range files {
		if there.Story.Files[name] != sum {
			return
		}
	}
	p.ready, p.similarity = true, there.Score.CLIPSimilarity
}

// files are the SHA-256 of a picture's files.
func (j *Job) files(p *picture) (map[string]string, error) {
	names := []string{p.name + ".png"}
	if j.Redraw.KeepPlain {
		names = append(names, "plain/"+p.name+".png")
	}
	sums := map[string]string{}
	for _, name := range names {
		file, err := checkpoints.SHA256OfFile(filepath.Join(j.Out, name))
		if err != nil {
			return nil, err
		}
		sums[name] = file.SHA256
	}
	return sums, nil
}

// missing is the number of pictures that are still to be drawn.
func (j *Job) missing() (n int) {
	for _, p := range j.pictures {
		if !p.ready {
			n++
		}
	}
	return n
}

// write writes a picture and, when its files are whole, the JSON that says so.
func (j *Job) write(p *picture, img image.Image, ready draw.Record) (err error) {
	base := filepath.Join(j.Out, p.name)
	if err := pictures.WritePNG(base+".png", img, ready.Meta(version.Program())); err != nil {
		return err
	}
	written := info{ready, &record{Asked: p.hash}}
	if written.Story.Files, err = j.files(p); err != nil {
		return fmt.Errorf("read what was just written: %w", err)
	}
	if err := jsonfile.Write(base+".json", written); err != nil {
		return err
	}
	p.ready, p.similarity = true, written.Score.CLIPSimilarity
	return nil
}
