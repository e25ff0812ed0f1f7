package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

// storyPicture is a picture that a story asks for.
type storyPicture struct {
	text  texts.Text
	left  string // what of its paragraph is not in text
	plan  draw.Plan
	name  string // of its files in the story's folder, without extension
	asked string // a hash of all that it follows from

	drawn      bool // its files are there
	similarity float64
}

// storyRecord says in the JSON beside a picture which files belong to it, so that a later call knows them again.
type storyRecord struct {
	Asked string            `json:"asked_sha256"` // of all that the picture follows from
	Files map[string]string `json:"files_sha256"`
}

// storyInfo is the JSON beside a picture.
type storyInfo struct {
	draw.Record
	Story *storyRecord `json:"story,omitempty"`
}

// order gives each picture its seed, its name and its hash, and returns that of the whole story.
func (i illustrateOptions) order(m draw.Model, plan draw.Plan) (string, error) {
	seeds, asked := plan.Seeds, make([]string, len(i.pictures))
	for n := range i.pictures {
		p := &i.pictures[n]
		seed := seeds[n%len(seeds)]
		if i.sameSeed {
			seed = seeds[0]
		}
		p.name, p.plan = pictureName(n, p.text.Text, seed), plan
		p.plan.Seeds = []uint64{seed}
		raw, err := json.Marshal([]any{version.Program(), p.text, i.keepPlain, i.cartoonScale, i.record(), m.Domain, m.Hashes, m.Prompts, p.plan})
		if err != nil {
			return "", err
		}
		p.asked = checkpoints.SHA256(raw)
		asked[n] = p.asked
	}
	raw, err := json.Marshal([]any{version.Program(), i.title, i.language, i.format, i.story, asked})
	return checkpoints.SHA256(raw), err
}

func (i illustrateOptions) summaryFile() string { return filepath.Join(i.out, "story.json") }

// done returns the summary of an earlier call that was asked for the same and whose files are all there.
func (i illustrateOptions) done(asked string) (summary storySummary, ok bool) {
	raw, err := os.ReadFile(i.summaryFile())
	if err != nil || json.Unmarshal(raw, &summary) != nil || summary.Asked != asked {
		return summary, false
	}
	files := slices.Clone(summary.Pages)
	for _, p := range summary.Paragraphs {
		files = append(files, filepath.Join(i.out, p.Picture))
	}
	return summary, !slices.ContainsFunc(files, func(f string) bool { _, err := os.Stat(f); return err != nil })
}

// begin makes the folder and finds the pictures that it has. The summary of an earlier call goes: it would speak of files that
// change from now on.
func (i illustrateOptions) begin() error {
	if err := terminal.CreateFolder(i.out); err != nil {
		return err
	}
	if err := os.Remove(i.summaryFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for n := range i.pictures {
		i.find(&i.pictures[n])
	}
	return nil
}

// find looks whether an earlier call was asked for a picture, and its files are as it wrote them.
func (i illustrateOptions) find(p *storyPicture) {
	var info storyInfo
	raw, err := os.ReadFile(filepath.Join(i.out, p.name+".json"))
	if err != nil || json.Unmarshal(raw, &info) != nil || info.Story == nil || info.Story.Asked != p.asked {
		return
	}
	files, err := i.files(p)
	if err != nil {
		return
	}
	for name, sum := range files {
		if info.Story.Files[name] != sum {
			return
		}
	}
	p.drawn, p.similarity = true, info.Score.CLIPSimilarity
}

// files are the SHA-256 of a picture's files.
func (i illustrateOptions) files(p *storyPicture) (map[string]string, error) {
	names := []string{p.name + ".png"}
	if i.keepPlain {
		names = append(names, "plain/"+p.name+".png")
	}
	sums := map[string]string{}
	for _, name := range names {
		file, err := checkpoints.SHA256OfFile(filepath.Join(i.out, name))
		if err != nil {
			return nil, err
		}
		sums[name] = file.SHA256
	}
	return sums, nil
}

// missing is the number of pictures that are still to be drawn.
func (i illustrateOptions) missing() (n int) {
	for _, p := range i.pictures {
		if !p.drawn {
			n++
		}
	}
	return n
}

// write writes a picture and, when its files are whole, the JSON that says so.
func (i illustrateOptions) write(p *storyPicture, img image.Image, record draw.Record) (err error) {
	base := filepath.Join(i.out, p.name)
	if err := pictures.WritePNG(base+".png", img, record.Meta(version.Program())); err != nil {
		return err
	}
	info := storyInfo{record, &storyRecord{Asked: p.asked}}
	if info.Story.Files, err = i.files(p); err != nil {
		return fmt.Errorf("read what was just written: %w", err)
	}
	if err := jsonfile.Write(base+".json", info); err != nil {
		return err
	}
	p.drawn, p.similarity = true, info.Score.CLIPSimilarity
	return nil
}
