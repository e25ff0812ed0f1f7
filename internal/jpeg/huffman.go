package jpeg

// lookBits is the length of codes that are looked up at once.
const lookBits = 9

// huffman decodes the symbols of a table: T.81, annex C and F.2.2.3.
type huffman struct {
	look    [1 << lookBits]uint16 // symbol and length; 0 for longer codes
	values  [256]uint8
	last    [17]int32 // the largest code of a length, -1 without
	offsets [17]int32 // the place of a length's first value, less its first code
}

// tables reads Huffman tables: B.2.4.2.
func (d *decoder) tables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 || body[0]>>4 > 1 || body[0]&15 > 3 {
			return errDamaged
		}
		counts, total := body[1:17], 0
		for _, n := range counts {
			total += int(n)
		}
		if total > 256 || len(body) < 17+total {
			return errDamaged
		}
		h := newHuffman(counts, body[17:17+total])
		if h == nil {
			return errDamaged
		}
		d.huffman[body[0]>>4][body[0]&15] = h
		body = body[17+total:]
	}
	return nil
}

// newHuffman returns nil where codes overflow their length.
func newHuffman(counts, values []byte) *huffman {
	h := &huffman{}
	copy(h.values[:], values)
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		h.offsets[length], h.last[length] = at-code, -1
		if n > 0 {
			h.last[length] = code + n - 1
		}
		if code+n > 1<<length {
			return nil
		}
		for range n {
			if length <= lookBits {
				first := code << (lookBits - length)
				for i := range int32(1) << (lookBits - length) {
					h.look[first+i] = uint16(h.values[at])<<8 | uint16(length)
				}
			}
			code++
			at++
		}
		code <<= 1
	}
	return h
}

// bits reads entropy-coded data: F.2.2.5.
type bits struct {
	file    []byte
	at      int
	held    uint64 // the lowest count bits are to be read
	count   uint
	padding uint // of held, bits after the end of the data
	damaged bool
}

// fill reads bytes until there are more than 48 bits; behind the data there are zeros.
func (b *bits) fill() {
	for b.count <= 48 {
		next, size := byte(0), 0
		if b.at < len(b.file) {
			next, size = b.file[b.at], 1
		}
		if next == 0xFF {
			if size = 2; b.at+1 >= len(b.file) || b.file[b.at+1] != 0 {
				next, size = 0, 0 // a marker
			}
		}
		if size == 0 {
			b.padding += 8
		}
		b.at += size
		b.held, b.count = b.held<<8|uint64(next), b.count+8
	}
}

// spent reports whether bits behind the data were read, or a code that is not in its table.
func (b *bits) spent() bool { return b.damaged || b.padding > b.count }

// take reads n bits, at most 16.
func (b *bits) take(n uint) uint32 {
	if b.count < n {
		b.fill()
	}
	b.count -= n
	return uint32(b.held>>b.count) & (1<<n - 1)
}

// extend reads a number of the given size: F.2.2.1.
func (b *bits) extend(size uint) int32 {
	if size == 0 {
		return 0
	}
	if size > 16 {
		b.damaged = true
		return 0
	}
	v := int32(b.take(size))
	if v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}

// symbol reads a symbol.
func (b *bits) symbol(h *huffman) uint8 {
	if b.count < 16 {
		b.fill()
	}
	next := int32(b.held>>(b.count-16)) & 0xFFFF
	if entry := h.look[next>>(16-lookBits)]; entry != 0 {
		b.count -= uint(entry & 0xFF)
		return uint8(entry >> 8)
	}
	for length := lookBits + 1; length <= 16; length++ {
		if code := next >> (16 - length); code <= h.last[length] {
			b.count -= uint(length)
			return h.values[(h.offsets[length]+code)&0xFF]
		}
	}
	b.damaged = true
	return 0
}

// marker drops the rest of the byte and reads a restart marker.
func (b *bits) marker(want byte) bool {
	at := b.at // no marker precedes it
	for at < len(b.file) && b.file[at] != 0xFF {
		at++
	}
	for at+1 < len(b.file) && b.file[at+1] == 0xFF {
		at++
	}
	if at+1 >= len(b.file) || b.file[at+1] != want {
		return false
	}
	*b = bits{file: b.file, at: at + 2, damaged: b.damaged}
	return true
}
