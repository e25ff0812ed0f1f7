package pictures

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
	"sync"

	"golang.org/x/text/encoding/charmap"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Meta is one text in a PNG file. Usual keys are Title, Author, Description, Software, Source and Comment; Seed, Alpha
// and the like are as good. A key has 1 to 79 printable ASCII characters.
type Meta struct{ Key, Value string }

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	maxPNGText   = 1 << 20 // bytes of one text, compressed or not
	maxPNGTexts  = 8 << 20 // bytes of all texts of a file
)

// WritePNG writes a picture with texts in its metadata. The same picture and texts give the same bytes.
func WritePNG(path string, img image.Image, meta []Meta) error {
	return files.Write(path, func(f io.Writer) error { return encodePNG(f, img, meta) })
}

// EncodePNG returns what WritePNG writes.
func EncodePNG(img image.Image, meta []Meta) ([]byte, error) {
	var file bytes.Buffer
	err := encodePNG(&file, img, meta)
	return file.Bytes(), err
}

// encoders keeps the memory of PNG's compression, near a megabyte, from one picture to the next.
var encoders pngBuffers

type pngBuffers struct{ sync.Pool }

func (b *pngBuffers) Get() *png.EncoderBuffer {
	buffer, _ := b.Pool.Get().(*png.EncoderBuffer)
	return buffer // nil makes a new one
}

func (b *pngBuffers) Put(buffer *png.EncoderBuffer) { b.Pool.Put(buffer) }

// encodePNG puts the texts between the header chunk and all others, so that a reader finds them before the pixels.
func encodePNG(w io.Writer, img image.Image, meta []Meta) error {
	var file bytes.Buffer
	encoder := png.Encoder{BufferPool: &encoders}
	if err := encoder.Encode(&file, img); err != nil {
		return err
	}
	return writeWithTexts(w, file.Bytes(), meta)
}

// writeWithTexts writes an encoded PNG or APNG with texts behind its header.
func writeWithTexts(w io.Writer, file []byte, meta []Meta) error {
	var texts bytes.Buffer
	for _, m := range meta {
		if err := checkMeta(m); err != nil {
			return err
		}
		writeTextChunk(&texts, m)
	}
	const header = len(pngSignature) + 12 + 13 // signature, IHDR
	for _, part := range [][]byte{file[:header], texts.Bytes(), file[header:]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func checkMeta(m Meta) error {
	if len(m.Key) < 1 || len(m.Key) > 79 || strings.TrimSpace(m.Key) != m.Key || strings.Contains(m.Key, "  ") ||
		!isPrintableASCII(m.Key) {
		return fmt.Errorf("metadata key %q: expected 1 to 79 printable ASCII characters, single spaces inside only", m.Key)
	}
	if strings.ContainsRune(m.Value, 0) || len(m.Value) > maxPNGText {
		return fmt.Errorf("metadata %q: the value holds a NUL or more than %d bytes", m.Key, maxPNGText)
	}
	return nil
}

func isPrintableASCII(s string) bool {
	for _, r := range s {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}

// writeTextChunk writes tEXt where its Latin-1 is plain ASCII, which every program reads, and iTXt (UTF-8, no language,
// no compression) for all else.
func writeTextChunk(w *bytes.Buffer, m Meta) {
	kind, data := "iTXt", m.Key+"\x00\x00\x00\x00\x00"+strings.ToValidUTF8(m.Value, "\uFFFD")
	if isPrintableASCII(strings.ReplaceAll(m.Value, "\n", "")) {
		kind, data = "tEXt", m.Key+"\x00"+m.Value
	}
	binary.Write(w, binary.BigEndian, uint32(len(data)))
	w.WriteString(kind + data)
	binary.Write(w, binary.BigEndian, crc32.ChecksumIEEE([]byte(kind+data)))
}

// PNGFacts describes a PNG file by its chunks.
type PNGFacts struct {
	Width, Height int
	Frames        int // of an animation (APNG); 0 if it is a single picture
	Bytes         int64
	Meta          []Meta // in their order
}

// ReadPNGMeta returns the texts of a PNG file in their order, from tEXt, zTXt and iTXt chunks, without decoding pixels.
// A text whose checksum is wrong is an error.
func ReadPNGMeta(path string) ([]Meta, error) {
	facts, err := ReadPNGFacts(path)
	return facts.Meta, err
}

// ReadPNGFacts returns the size of a PNG file's picture, its frames, and its texts as ReadPNGMeta does.
func ReadPNGFacts(path string) (PNGFacts, error) {
	facts, err := readPNGFacts(path)
	if err != nil {
		return PNGFacts{}, fmt.Errorf("read PNG metadata %q: %w", path, err)
	}
	return facts, nil
}

func readPNGFacts(path string) (p PNGFacts, err error) {
	f, size, err := files.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	signature := make([]byte, len(pngSignature))
	if _, err := io.ReadFull(f, signature); err != nil || string(signature) != pngSignature {
		return p, fault.Usage(errors.New("not a PNG file"), "name a PNG picture")
	}
	p.Bytes = size
	total := 0
	for at := int64(len(pngSignature)); ; {
		var head [16]byte
		if n, _ := f.ReadAt(head[:], at); n < 8 {
			return p, errors.New("the file is cut short")
		}
		length, kind := int64(binary.BigEndian.Uint32(head[:])), string(head[4:8])
		if length > size-at-12 {
			return p, fmt.Errorf("the file is damaged or cut short: chunk %q has %d bytes, %d are left", kind, length,
				size-at-12)
		}
		switch first, second := binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:]); kind {
		case "IEND":
			return p, nil
		case "IHDR":
			p.Width, p.Height = int(first), int(second)
		case "acTL":
			p.Frames = int(first)
		case "tEXt", "zTXt", "iTXt":
			m, err := readTextChunk(f, at+4, length)
			if err != nil {
				return p, fmt.Errorf("chunk %s: %w", kind, err)
			}
			p.Meta = append(p.Meta, m)
			if total += 12 + len(m.Key) + len(m.Value); total > maxPNGTexts {
				return p, fmt.Errorf("more than %d bytes of text", maxPNGTexts)
			}
		}
		at += 12 + length
	}
}

// readTextChunk reads kind, data and checksum of a text chunk; its kind stands at the given offset.
func readTextChunk(f io.ReaderAt, offset, length int64) (Meta, error) {
	if length > maxPNGText {
		return Meta{}, fmt.Errorf("%d bytes; at most %d are read", length, maxPNGText)
	}
	chunk := make([]byte, 4+length+4)
	if _, err := f.ReadAt(chunk, offset); err != nil {
		return Meta{}, err
	}
	body, sum := chunk[:4+length], binary.BigEndian.Uint32(chunk[4+length:])
	if crc32.ChecksumIEEE(body) != sum {
		return Meta{}, errors.New("the checksum is wrong: the file is damaged")
	}
	key, rest, ok := bytes.Cut(body[4:], []byte{0})
	if !ok {
		return Meta{}, errors.New("no key")
	}
	value, err := textOfChunk(string(body[:4]), rest)
	if err != nil {
		return Meta{}, err
	}
	return Meta{Key: latin1(key), Value: value}, nil
}

// textOfChunk decodes what follows the key: tEXt Latin-1; zTXt method, compressed Latin-1; iTXt flag, method, language,
// translated key, UTF-8 that may be compressed.
func textOfChunk(kind string, rest []byte) (string, error) {
	switch {
	case kind == "tEXt":
		return latin1(rest), nil
	case kind == "zTXt" && len(rest) >= 1 && rest[0] == 0:
		text, err := inflate(rest[1:])
		return latin1(text), err
	case kind == "iTXt" && len(rest) >= 2 && rest[0] <= 1 && rest[1] == 0:
		parts := bytes.SplitN(rest[2:], []byte{0}, 3)
		if len(parts) != 3 {
			break
		}
		text := parts[2]
		if rest[0] == 1 {
			var err error
			if text, err = inflate(text); err != nil {
				return "", err
			}
		}
		return strings.ToValidUTF8(string(text), "\uFFFD"), nil
	}
	return "", errors.New("malformed")
}

func inflate(compressed []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxPNGText+1))
	if err == nil && len(text) > maxPNGText {
		err = fmt.Errorf("more than %d bytes when decompressed", maxPNGText)
	}
	return text, err
}

func latin1(b []byte) string {
	s, _ := charmap.ISO8859_1.NewDecoder().Bytes(b) // every byte is a character of Latin-1
	return string(s)
}
