package eval

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// Files in Request.Keep.
const (
	ScoresFile   = "scores.jsonl"  // a line for each picture
	featuresFile = "features.f32"  // a row for each judged picture: embeddings and features one after the other, little-endian
	settingsFile = "settings.json" // what scores and features were made with
)

// rows are the vectors of pictures, [N,E] each; those of absent judges are nil.
type rows struct{ own, judge, inception []float32 }

func (r *rows) append(more rows) {
	r.own = append(r.own, more.own...)
	r.judge = append(r.judge, more.judge...)
	r.inception = append(r.inception, more.inception...)
}

// widths of a picture's row: the domain's CLIP, the judge's, Inception.
func (m *measurement) widths() [3]int {
	w := [3]int{m.networks.CLIP.ProjectionDim}
	if m.Judges.CLIP != nil {
		w[1] = m.Judges.CLIP.CLIP.ProjectionDim
	}
	if m.Judges.Inception != nil {
		w[2] = m.Judges.Inception.Dim
	}
	return w
}

// kept is where scores and rows are kept; nil where they are not. A batch counts when its lines are whole, and its rows,
// which are written before them.
type kept struct {
	scores, features *os.File
	widths           [3]int
}

// Settings are what scores depend on, in a form to be compared and reported. Names of files are not among them, but their
// number and order are.
func (r *Request) Settings(networks map[string]string) map[string]any {
	s := map[string]any{"domain": r.Domain, "networks_sha256": networks, "texts": r.Texts, "judges": r.Judges.hashes()}
	if len(r.Files) > 0 {
		names := make([]string, len(r.Files))
		for i, f := range r.Files {
			names[i] = fmt.Sprintf("%s: text %d, seed %d", filepath.Base(f.Path), f.Text, f.Seed)
		}
		s["files"] = names
		return s
	}
	s["seeds"], s["noise_mode"], s["truncation_psi"], s["inject_index"] = r.Seeds, r.Synthesis.NoiseMode, r.Synthesis.TruncationPsi, r.InjectIndex
	s["alpha"] = nil
	if r.Prompts != nil {
		s["alpha"], s["prompts_sha256"] = r.Alpha, promptsHash(*r.Prompts)
	}
	return s
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

// openKept opens the files in m.Keep. Those that were made with other settings are an error that names one difference.
func openKept(m *measurement) (*kept, error) {
	if m.Keep == "" {
		return nil, nil
	}
	settings, err := json.MarshalIndent(m.Settings(m.networks.Hashes), "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(m.Keep, settingsFile)
	there, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := renameio.WriteFile(path, settings, 0o666); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case !bytes.Equal(there, settings):
		return nil, fault.Usage(fmt.Errorf("%s holds scores of other settings: %s", m.Keep, difference(there, settings)),
			"give another --out, or remove that folder")
	}
	k := &kept{widths: m.widths()}
	if k.features, err = os.OpenFile(filepath.Join(m.Keep, featuresFile), os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	if k.scores, err = os.OpenFile(filepath.Join(m.Keep, ScoresFile), os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, errors.Join(err, k.features.Close())
	}
	return k, nil
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

// resume reads what is kept of the first batches, cuts off what is not whole, and returns how many batches those are.
func (k *kept) resume(m *measurement, batches [][]File) (done int, err error) {
	if k == nil {
		return 0, nil
	}
	info, err := k.features.Stat()
	if err != nil {
		return 0, err
	}
	width := int64(4 * (k.widths[0] + k.widths[1] + k.widths[2]))
	have := int(info.Size() / width)
	in, lines, end, judged := bufio.NewReader(k.scores), []PictureScore(nil), int64(0), 0
	read := int64(0)
	for done < len(batches) {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		read += int64(len(line))
		var s PictureScore
		if json.Unmarshal(line, &s) != nil {
			break
		}
		lines = append(lines, s)
		if len(lines) < len(batches[done]) {
			continue
		}
		n := 0
		for _, s := range lines {
			if s.Skipped == "" {
				n++
			}
		}
		if judged+n > have {
			break
		}
		m.scores, lines, end, judged, done = append(m.scores, lines...), nil, read, judged+n, done+1
	}
	if err := cut(k.scores, end); err != nil {
		return 0, err
	}
	if err := k.readRows(m, judged); err != nil {
		return 0, err
	}
	return done, cut(k.features, int64(judged)*width)
}

func cut(f *os.File, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

func (k *kept) readRows(m *measurement, n int) error {
	in := bufio.NewReader(k.features)
	row := make([]byte, 4*(k.widths[0]+k.widths[1]+k.widths[2]))
	for range n {
		if _, err := io.ReadFull(in, row); err != nil {
			return err
		}
		at := 0
		for i, to := range []*[]float32{&m.rows.own, &m.rows.judge, &m.rows.inception} {
			for range k.widths[i] {
				*to = append(*to, math.Float32frombits(binary.LittleEndian.Uint32(row[at:])))
				at += 4
			}
		}
	}
	return nil
}

// append keeps a batch: first its rows, then, when they are on the disk, its lines.
func (k *kept) append(scores []PictureScore, r rows) error {
	if k == nil {
		return nil
	}
	var raw, lines []byte
	for i := range len(r.own) / k.widths[0] {
		for j, from := range [][]float32{r.own, r.judge, r.inception} {
			for _, v := range from[i*k.widths[j] : (i+1)*k.widths[j]] {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			}
		}
	}
	for _, s := range scores {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	if _, err := k.features.Write(raw); err != nil {
		return err
	}
	if err := k.features.Sync(); err != nil {
		return err
	}
	_, err := k.scores.Write(lines)
	return err
}

func (k *kept) close() {
	if k != nil {
		_ = k.features.Close() // each batch was synced
		_ = k.scores.Close()
	}
}
