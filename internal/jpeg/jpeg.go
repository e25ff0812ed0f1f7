// Package jpeg decodes JPEG files to the samples that libjpeg-turbo decodes: image/jpeg's transform differs from its by
// up to one, which colours and the filters of chroma make three. It reads Huffman-coded baseline, extended and
// progressive files of 8 bits (ITU-T T.81), any sampling of up to four channels, in bounded work.
package jpeg

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxScans bounds the work of a progressive JPEG, each scan of which passes over all pixels: TurboJPEG's bound
// (TJFLAG_LIMITSCANS). Encoders write about 10.
const maxScans = 500

// Picture is a decoded file, or without Planes' samples its header.
type Picture struct {
	Width, Height int
	Planes        []Plane
	// JFIF and Adobe are whether the file has their segments, Transform the colour transform of Adobe's.
	JFIF, Adobe bool
	Transform   byte
	// Profile is the ICC profile.
	Profile []byte
}

// Plane holds the samples of a channel.
type Plane struct {
	ID            byte
	Width, Height int // in samples
	Stride        int
	Samples       []uint8
	Across, Down  int // pixels that a sample covers

	h, v, table int // sampling factors, number of the quantisation table
	blocksX     int // blocks of a row
	blocksY     int
	coded       bool
	coefficient []block // of a progressive picture
}

// block holds coefficients in natural order.
type block [64]int16

// The markers of T.81, table B.1.
const (
	markerSOF0, markerSOF1, markerSOF2 = 0xC0, 0xC1, 0xC2
	markerDHT                          = 0xC4
	markerRST0, markerRST7             = 0xD0, 0xD7
	markerSOI, markerEOI               = 0xD8, 0xD9
	markerSOS, markerDQT, markerDNL    = 0xDA, 0xDB, 0xDC
	markerDRI                          = 0xDD
	markerAPP0, markerAPP2             = 0xE0, 0xE2
	markerAPP14                        = 0xEE
	markerTEM                          = 0x01
)

var (
	errShort   = errors.New("the JPEG file is cut short")
	errDamaged = errors.New("the JPEG file is damaged")
)

// ErrUnsupported is in the errors of sound files of a kind that is not decoded.
var ErrUnsupported = errors.New("which is not supported")

type decoder struct {
	Picture
	ctx         context.Context
	file        []byte
	at          int
	header      bool // stop before the first scan
	progressive bool
	baseline    bool
	hMax, vMax  int
	restart     int // MCUs between restart markers; 0 without
	scans       int
	profile     map[byte][]byte
	quant       [4][64]int32 // in zig-zag order
	quantSet    [4]bool
	huffman     [2][4]*huffman // DC, AC
}

// ReadHeader reads a file up to its first scan.
func ReadHeader(file []byte) (*Picture, error) {
	d := decoder{ctx: context.Background(), file: file, header: true}
	if err := d.decode(); err != nil {
		return nil, err
	}
	return &d.Picture, nil
}

// Decode decodes a file until ctx ends.
func Decode(ctx context.Context, file []byte) (*Picture, error) {
	d := decoder{ctx: ctx, file: file}
	if err := d.decode(); err != nil {
		return nil, err
	}
	if d.progressive {
		if err := d.finish(); err != nil {
			return nil, err
		}
	}
	return &d.Picture, nil
}

// decode walks over the segments.
func (d *decoder) decode() error {
	if len(d.file) < 2 || d.file[0] != 0xFF || d.file[1] != markerSOI {
		return errors.New("not a JPEG file")
	}
	d.at, d.profile = 2, map[byte][]byte{}
	for {
		marker, err := d.nextMarker()
		if err != nil {
			return err
		}
		if marker == markerEOI {
			return d.complete()
		}
		body, err := d.segment()
		if err != nil {
			return err
		}
		if marker == markerSOS {
			if d.header {
				d.joinProfile()
				return d.check()
			}
			if err := d.scan(body); err != nil {
				return err
			}
			continue
		}
		if err := d.process(marker, body); err != nil {
			return err
		}
	}
}

// check reports a picture without size.
func (d *decoder) check() error {
	if len(d.Planes) == 0 {
		return errDamaged
	}
	return nil
}

// complete reports a channel that no scan held.
func (d *decoder) complete() error {
	for _, p := range d.Planes {
		if !p.coded {
			return errDamaged
		}
	}
	return d.check()
}

// nextMarker finds the next marker; what comes before it is skipped, as libjpeg does.
func (d *decoder) nextMarker() (byte, error) {
	for ; d.at+1 < len(d.file); d.at++ {
		if d.file[d.at] != 0xFF {
			continue
		}
		switch m := d.file[d.at+1]; {
		case m == 0 || m == 0xFF || m == markerTEM || m >= markerRST0 && m <= markerRST7 || m == markerSOI:
		default:
			d.at += 2
			return m, nil
		}
	}
	return 0, errShort
}

// segment returns what belongs to a marker.
func (d *decoder) segment() ([]byte, error) {
	if d.at+2 > len(d.file) {
		return nil, errShort
	}
	size := int(binary.BigEndian.Uint16(d.file[d.at:]))
	if size < 2 {
		return nil, errDamaged
	}
	if d.at+size > len(d.file) {
		return nil, errShort
	}
	body := d.file[d.at+2 : d.at+size]
	d.at += size
	return body, nil
}

// process reads a segment that is not a scan.
func (d *decoder) process(marker byte, body []byte) error {
	switch marker {
	case markerSOF0, markerSOF1, markerSOF2:
		d.baseline, d.progressive = marker == markerSOF0, marker == markerSOF2
		return d.frame(body)
	case markerDHT:
		return d.tables(body)
	case markerDQT:
		return d.quantisation(body)
	case markerDRI:
		if len(body) != 2 {
			return errDamaged
		}
		d.restart = int(binary.BigEndian.Uint16(body))
	case markerAPP0:
		d.JFIF = d.JFIF || len(body) >= 5 && string(body[:5]) == "JFIF\x00"
	case markerAPP2:
		const head = "ICC_PROFILE\x00"
		if len(body) > len(head)+2 && string(body[:len(head)]) == head {
			d.profile[body[len(head)]] = body[len(head)+2:]
		}
	case markerAPP14:
		if len(body) >= 12 && string(body[:5]) == "Adobe" {
			d.Adobe, d.Transform = true, body[11]
		}
	case markerDNL:
		return fmt.Errorf("the JPEG gives its height after its pixels, %w", ErrUnsupported)
	case 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF:
		return fmt.Errorf("the JPEG is of process SOF%d (lossless, hierarchical or arithmetic), %w",
			marker-markerSOF0, ErrUnsupported)
	}
	return nil
}

// joinProfile puts the parts of the ICC profile together.
func (d *decoder) joinProfile() {
	for part := 1; part < 256; part++ {
		d.Profile = append(d.Profile, d.profile[byte(part)]...)
	}
}

// frame reads the frame's header: T.81, B.2.2.
func (d *decoder) frame(body []byte) error {
	if len(body) < 6 || len(d.Planes) > 0 {
		return errDamaged
	}
	n := int(body[5])
	if body[0] != 8 {
		return fmt.Errorf("the JPEG has %d bits a sample, %w", body[0], ErrUnsupported)
	}
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("the JPEG has %d channels, %w", n, ErrUnsupported)
	}
	d.Height, d.Width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if len(body) != 6+3*n || d.Height == 0 || d.Width == 0 {
		return errDamaged
	}
	for i := range n {
		c := body[6+3*i:]
		p := Plane{ID: c[0], h: int(c[1] >> 4), v: int(c[1] & 15), table: int(c[2])}
		if n == 1 { // a single channel is not interleaved, whatever its factors: A.2.2
			p.h, p.v = 1, 1
		}
		if p.h < 1 || p.h > 4 || p.v < 1 || p.v > 4 || p.table > 3 {
			return errDamaged
		}
		d.hMax, d.vMax = max(d.hMax, p.h), max(d.vMax, p.v)
		d.Planes = append(d.Planes, p)
	}
	for i := range d.Planes {
		p := &d.Planes[i]
		if d.hMax%p.h != 0 || d.vMax%p.v != 0 {
			return fmt.Errorf("the JPEG's channel %d is sampled %d × %d of %d × %d, %w", i+1, p.h, p.v, d.hMax, d.vMax,
				ErrUnsupported)
		}
		p.Across, p.Down = d.hMax/p.h, d.vMax/p.v
		p.Width, p.Height = ceil(d.Width, p.Across), ceil(d.Height, p.Down)
		p.blocksX, p.blocksY = ceil(d.Width, 8*d.hMax)*p.h, ceil(d.Height, 8*d.vMax)*p.v
		p.Stride = 8 * p.blocksX
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// allocate makes room for the samples, before the first scan.
func (d *decoder) allocate() {
	for i := range d.Planes {
		p := &d.Planes[i]
		if p.Samples != nil {
			continue
		}
		p.Samples = make([]uint8, p.Stride*8*p.blocksY)
		if d.progressive {
			p.coefficient = make([]block, p.blocksX*p.blocksY)
		}
	}
}

// quantisation reads quantisation tables: B.2.4.1.
func (d *decoder) quantisation(body []byte) error {
	for len(body) > 0 {
		wide, number := int(body[0]>>4), int(body[0]&15)
		size := 64 * (wide + 1)
		if wide > 1 || number > 3 || len(body) < 1+size {
			return errDamaged
		}
		for i := range 64 {
			if wide == 1 {
				d.quant[number][i] = int32(binary.BigEndian.Uint16(body[1+2*i:]))
			} else {
				d.quant[number][i] = int32(body[1+i])
			}
		}
		d.quantSet[number] = true
		body = body[1+size:]
	}
	return nil
}

// finish transforms the coefficients of a progressive picture.
func (d *decoder) finish() error {
	for i := range d.Planes {
		p := &d.Planes[i]
		if p.coefficient == nil || !d.quantSet[p.table] {
			return errDamaged
		}
		for y := range p.blocksY {
			if d.ctx.Err() != nil {
				return context.Cause(d.ctx)
			}
			for x := range p.blocksX {
				p.transform(&p.coefficient[y*p.blocksX+x], &d.quant[p.table], x, y)
			}
		}
		p.coefficient = nil
	}
	return nil
}
