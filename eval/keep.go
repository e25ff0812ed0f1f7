package eval

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"slices"
)

// Files in Request.Keep.
const (
	ScoresFile = "scores.jsonl" // a line for each picture
	// a row for each judged picture: embeddings and features one after the other, little-endian
	featuresFile = "features.f32"
	settingsFile = "settings.json" // what scores and features were made with
)

// rows are the vectors of pictures, [N,E] each; those of absent judges are nil.
type rows struct{ own, judge, inception []float32 }

func (r *rows) append(more rows) {
	r.own = append(r.own, more.own...)
	r.judge = append(r.judge, more.judge...)
	r.inception = append(r.inception, more.inception...)
}

// grow makes room for n pictures in all, whose rows have these widths.
func (r *rows) grow(n int, widths [3]int) {
	for i, to := range []*[]float32{&r.own, &r.judge, &r.inception} {
		*to = slices.Grow(*to, max(0, n*widths[i]-len(*to)))
	}
}

// line is a picture's line in a file of lines.
type line interface{ skipped() bool }

// kept holds the files of a line for each picture and a row for each that was not skipped; nil without files. A
// batch counts when its lines are whole, and its rows, which are written before them.
type kept[L line] struct {
	lines, rows *os.File
	widths      [3]int // of a row's parts
}

// openKept opens or makes the two files.
func openKept[L line](lines, rows string, widths [3]int) (*kept[L], error) {
	k := &kept[L]{widths: widths}
	var err error
	if k.rows, err = os.OpenFile(rows, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	if k.lines, err = os.OpenFile(lines, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, errors.Join(err, k.rows.Close())
	}
	return k, nil
}

// resume reads what is kept of the first of batches, whose sizes it gets, and cuts off what is not whole. done is how
// many batches those are.
func (k *kept[L]) resume(batches []int) (lines []L, r rows, done int, err error) {
	if k == nil {
		return nil, rows{}, 0, nil
	}
	info, err := k.rows.Stat()
	if err != nil {
		return nil, rows{}, 0, err
	}
	width := int64(4 * (k.widths[0] + k.widths[1] + k.widths[2]))
	have := int(info.Size() / width)
	in, batch, judged, end, read := bufio.NewReader(k.lines), []L(nil), 0, int64(0), int64(0)
	for done < len(batches) {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, rows{}, 0, err
		}
		read += int64(len(text))
		var l L
		if json.Unmarshal(text, &l) != nil {
			break
		}
		if batch = append(batch, l); len(batch) < batches[done] {
			continue
		}
		n := 0
		for _, l := range batch {
			if !l.skipped() {
				n++
			}
		}
		if judged+n > have {
			break
		}
		lines, batch, end, judged, done = append(lines, batch...), nil, read, judged+n, done+1
	}
	if err := cut(k.lines, end); err != nil {
		return nil, rows{}, 0, err
	}
	if r, err = k.readRows(judged); err != nil {
		return nil, rows{}, 0, err
	}
	return lines, r, done, cut(k.rows, int64(judged)*width)
}

func cut(f *os.File, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

func (k *kept[L]) readRows(n int) (r rows, err error) {
	in := bufio.NewReader(k.rows)
	row := make([]byte, 4*(k.widths[0]+k.widths[1]+k.widths[2]))
	for range n {
		if _, err := io.ReadFull(in, row); err != nil {
			return r, err
		}
		at := 0
		for i, to := range []*[]float32{&r.own, &r.judge, &r.inception} {
			for range k.widths[i] {
				*to = append(*to, math.Float32frombits(binary.LittleEndian.Uint32(row[at:])))
				at += 4
			}
		}
	}
	return r, nil
}

// append keeps a batch: first its rows, then, when they are on the disk, its lines.
func (k *kept[L]) append(lines []L, r rows) error {
	if k == nil {
		return nil
	}
	var raw, text []byte
	for i := range len(r.own) / k.widths[0] {
		for j, from := range [][]float32{r.own, r.judge, r.inception} {
			for _, v := range from[i*k.widths[j] : (i+1)*k.widths[j]] {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			}
		}
	}
	for _, l := range lines {
		one, err := json.Marshal(l)
		if err != nil {
			return err
		}
		text = append(append(text, one...), '\n')
	}
	if _, err := k.rows.Write(raw); err != nil {
		return err
	}
	if err := k.rows.Sync(); err != nil {
		return err
	}
	_, err := k.lines.Write(text)
	return err
}

func (k *kept[L]) close() {
	if k != nil {
		_ = k.rows.Close() // each batch was synced
		_ = k.lines.Close()
	}
}
