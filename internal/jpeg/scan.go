package jpeg

import (
	"context"
	"fmt"

	"illustrator/internal/fault"
)

// zigzag is the natural position of each coefficient in the order of the file: T.81, figure A.6.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55,
	62, 63,
}

// scan is a pass over some channels: B.2.3.
type scan struct {
	bits
	channels    []channel
	start, end  int  // of the coefficients, in zig-zag order
	high, low   uint // bits of successive approximation
	endOfBand   int  // blocks that end before their first coefficient: G.1.2.2
	progressive bool
}

// channel is a channel of a scan with its tables.
type channel struct {
	*Plane
	dc, ac     *huffman
	quant      *[64]int32
	prediction int32
}

// scan decodes the scan whose header is body.
func (d *decoder) scan(body []byte) error {
	if d.scans++; d.scans > maxScans {
		return fault.Usage(fmt.Errorf("the JPEG has more than %d scans", maxScans), "save the picture again as PNG")
	}
	s, err := d.scanHeader(body)
	if err != nil {
		return err
	}
	d.allocate()
	columns, lines := ceil(d.Width, 8*d.hMax), ceil(d.Height, 8*d.vMax)
	single := len(s.channels) == 1
	if single { // blocks without samples of the picture are not coded: A.2.2
		columns, lines = ceil(s.channels[0].Width, 8), ceil(s.channels[0].Height, 8)
	}
	for y := range lines {
		if d.ctx.Err() != nil {
			return context.Cause(d.ctx)
		}
		for x := range columns {
			if unit := y*columns + x; d.restart > 0 && unit > 0 && unit%d.restart == 0 {
				if err := s.resume(unit / d.restart); err != nil {
					return err
				}
			}
			if single {
				err = s.block(&s.channels[0], x, y)
			} else {
				err = s.unit(x, y)
			}
			if err != nil {
				return err
			}
		}
	}
	d.at = s.at // fill stops at markers
	return nil
}

func (d *decoder) scanHeader(body []byte) (*scan, error) {
	if len(body) < 6 || len(d.Planes) == 0 {
		return nil, errDamaged
	}
	n := int(body[0])
	if n < 1 || n > len(d.Planes) || len(body) != 4+2*n {
		return nil, errDamaged
	}
	s := &scan{bits: bits{file: d.file, at: d.at}, end: 63, progressive: d.progressive}
	if d.progressive {
		s.start, s.end = int(body[1+2*n]), int(body[2+2*n])
		s.high, s.low = uint(body[3+2*n]>>4), uint(body[3+2*n]&15)
		if s.start > s.end || s.end > 63 || s.start == 0 && s.end != 0 || s.start > 0 && n > 1 || s.low > 13 ||
			s.high != 0 && s.high != s.low+1 {
			return nil, errDamaged
		}
	}
	for i := range n {
		id, tables := body[1+2*i], body[2+2*i]
		c := channel{}
		for k := range d.Planes {
			if d.Planes[k].ID == id {
				c.Plane = &d.Planes[k]
			}
		}
		if c.Plane == nil || tables>>4 > 3 || tables&15 > 3 || !d.progressive && !d.quantSet[c.table] {
			return nil, errDamaged
		}
		for _, other := range s.channels {
			if other.Plane == c.Plane {
				return nil, errDamaged
			}
		}
		c.dc, c.ac, c.quant = d.huffman[0][tables>>4], d.huffman[1][tables&15], &d.quant[c.table]
		if c.dc == nil && s.start == 0 && s.high == 0 || c.ac == nil && s.end > 0 {
			return nil, errDamaged
		}
		c.coded = c.coded || s.start == 0
		s.channels = append(s.channels, c)
	}
	return s, nil
}

// resume reads the restart marker before the given interval.
func (s *scan) resume(interval int) error {
	if !s.marker(byte(markerRST0 + (interval-1)%8)) {
		return errDamaged
	}
	s.endOfBand = 0
	for i := range s.channels {
		s.channels[i].prediction = 0
	}
	return nil
}

// unit decodes the blocks of an interleaved unit (MCU).
func (s *scan) unit(x, y int) error {
	for i := range s.channels {
		c := &s.channels[i]
		for k := range c.h * c.v {
			if err := s.block(c, c.h*x+k%c.h, c.v*y+k/c.h); err != nil {
				return err
			}
		}
	}
	return nil
}

// block decodes a block and, of a sequential picture, transforms it.
func (s *scan) block(c *channel, x, y int) (err error) {
	if !s.progressive {
		var b block
		if s.sequential(c, &b); s.spent() {
			return errDamaged
		}
		c.transform(&b, c.quant, x, y)
		return nil
	}
	b := &c.coefficient[y*c.blocksX+x]
	switch {
	case s.start == 0 && s.high == 0:
		b[0] = int16(s.delta(c) << s.low)
	case s.start == 0:
		b[0] |= int16(s.take(1) << s.low)
	case s.high == 0:
		s.band(c, b)
	default:
		s.refine(c, b)
	}
	if s.spent() {
		return errDamaged
	}
	return nil
}

// delta decodes the first coefficient: F.2.2.1.
func (s *scan) delta(c *channel) int32 {
	c.prediction += s.extend(uint(s.symbol(c.dc)))
	return c.prediction
}

// sequential decodes all coefficients: F.2.2.2.
func (s *scan) sequential(c *channel, b *block) {
	b[0] = int16(s.delta(c))
	for k := 1; k < 64; k++ {
		symbol := s.symbol(c.ac)
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run < 15 {
				return
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			s.damaged = true
			return
		}
		b[zigzag[k]] = int16(s.extend(size))
	}
}

// band decodes a band of coefficients for the first time: G.1.2.2.
func (s *scan) band(c *channel, b *block) {
	if s.endOfBand > 0 {
		s.endOfBand--
		return
	}
	for k := s.start; k <= s.end; k++ {
		symbol := s.symbol(c.ac)
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run < 15 {
				s.endOfBand = 1<<run - 1 + int(s.take(uint(run)))
				return
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			s.damaged = true
			return
		}
		b[zigzag[k]] = int16(s.extend(size) << s.low)
	}
}

// refine decodes a further bit of a band: G.1.2.3.
func (s *scan) refine(c *channel, b *block) {
	one := int16(1) << s.low
	k := s.start
	for ; s.endOfBand == 0 && k <= s.end; k++ {
		symbol := s.symbol(c.ac)
		run, size, value := int(symbol>>4), symbol&15, int16(0)
		if size != 0 {
			if value = -one; s.take(1) == 1 {
				value = one
			}
		} else if run < 15 {
			s.endOfBand = 1<<run + int(s.take(uint(run)))
			break
		}
		k = s.correct(b, k, run, one)
		if value != 0 && k <= s.end {
			b[zigzag[k]] = value
		}
	}
	if s.endOfBand > 0 {
		s.correct(b, k, 64, one)
		s.endOfBand--
	}
}

// correct reads a bit for each coefficient that is not 0 from k on, until it has passed zeros others, and returns where
// it stopped.
func (s *scan) correct(b *block, k, zeros int, one int16) int {
	for ; k <= s.end; k++ {
		at := &b[zigzag[k]]
		if *at == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		if s.take(1) == 1 && *at&one == 0 {
			if *at > 0 {
				*at += one
			} else {
				*at -= one
			}
		}
	}
	return k
}
