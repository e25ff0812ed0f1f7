package eval

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/models/clip"
	"illustrator/models/pipeline"
)

// Settings holds the settings that scores depend on, in a form to be compared and reported. Of files these are their
// names, and a hash of their sizes and times.
func (r *Request) Settings(n *pipeline.Networks) map[string]any {
	s := map[string]any{"domain": r.Domain, "networks_sha256": n.Hashes, "texts": r.Texts, "judges": r.Judges.hashes()}
	if p := n.Precision.Narrow(); p != "" {
		s["precision"] = p
	}
	if len(r.Files) > 0 {
		names, states := make([]string, len(r.Files)), sha256.New()
		for i, f := range r.Files {
			names[i] = fmt.Sprintf("%s: text %d, seed %d", filepath.Base(f.Path), f.Text, f.Seed)
			fmt.Fprintln(states, fileState(f.Path))
		}
		s["files"], s["files_state"] = names, fmt.Sprintf("%x", states.Sum(nil))
		s["preprocessor"] = preprocessors(n, r.Judges)
		return s
	}
	s["seeds"], s["noise_mode"], s["truncation_psi"], s["inject_index"] = r.Seeds, r.NoiseMode, r.TruncationPsi,
		r.InjectIndex
	s["alpha"] = nil
	if !r.NoProjection {
		s["alpha"], s["prompts_sha256"] = r.Alpha, promptsHash(r.Prompts)
	}
	return s
}

// preprocessors describe how CLIPs see picture files.
func preprocessors(n *pipeline.Networks, j Judges) []clip.Preprocessor {
	of := []clip.Preprocessor{n.Preprocessor}
	if j.CLIP != nil {
		of = append(of, j.CLIP.Preprocessor)
	}
	return of
}

func promptsHash(p pipeline.Prompts) string {
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, p.Text) // a hash does not fail
	_ = binary.Write(h, binary.LittleEndian, p.Image)
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (j Judges) hashes() map[string]string {
	h := map[string]string{}
	if j.CLIP != nil {
		h["clip"] = j.CLIP.Hashes["clip"]
	}
	if j.Inception != nil {
		h["inception"] = j.Inception.SHA256
	}
	if j.LPIPS != nil {
		h["lpips"] = j.LPIPS.SHA256
	}
	return h
}

// difference names the first setting that differs, and both values where they are short.
func difference(have, want []byte) string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(have, &a) != nil || json.Unmarshal(want, &b) != nil {
		return settingsFile + " cannot be read"
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	short := func(raw json.RawMessage) string {
		var line bytes.Buffer
		if raw == nil || json.Compact(&line, raw) != nil {
			return "none"
		}
		if line.Len() > 60 {
			return fmt.Sprintf("others (SHA-256 %.12x)", sha256.Sum256(line.Bytes()))
		}
		return line.String()
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if there, now := short(a[key]), short(b[key]); there != now {
			return fmt.Sprintf("%s is %s there, %s now", key, there, now)
		}
	}
	return settingsFile + " is written otherwise"
}

// claim makes the folder Keep that of these settings. Scores of other settings in it are an error that names one
// difference.
func (r *Request) claim(n *pipeline.Networks) error {
	settings, err := json.MarshalIndent(r.Settings(n), "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(r.Keep, settingsFile)
	there, err := files.ReadFile(path, maxResult)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return files.WriteFile(path, settings, 0o666)
	case err != nil:
		return err
	case !bytes.Equal(there, settings):
		err := fault.Usage(fmt.Errorf("%s holds scores of other settings: %s", r.Keep, difference(there, settings)),
			"name another folder, or remove that one")
		return fault.WithCode(err, OtherScores)
	}
	return nil
}
