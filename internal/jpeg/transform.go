package jpeg

// The constants of libjpeg's accurate integer transform (jidctint.c, after Loeffler, Ligtenberg and Moschytz 1989),
// whose rounding makes its pixels: cosines in units of 1/8192, two more bits between columns and rows.
const (
	constBits = 13
	passBits  = 2

	c0298 = 2446
	c0390 = 3196
	c0541 = 4433
	c0765 = 6270
	c0899 = 7373
	c1175 = 9633
	c1501 = 12299
	c1847 = 15137
	c1961 = 16069
	c2053 = 16819
	c2562 = 20995
	c3072 = 25172
)

// transform dequantises a block, transforms it and puts its samples at block (x, y). The table is in zig-zag order.
func (p *Plane) transform(b *block, table *[64]int32, x, y int) {
	var v [64]int32
	for k, at := range zigzag {
		v[at] = int32(b[at]) * table[k]
	}
	for i := range 8 {
		inverse(v[i:], 8, constBits-passBits)
	}
	for i := range 8 {
		inverse(v[8*i:], 1, constBits+passBits+3)
	}
	for i := range 8 {
		row := p.Samples[(8*y+i)*p.Stride+8*x:]
		row = row[:8]
		for k := range row {
			row[k] = uint8(max(0, min(v[8*i+k]+128, 255)))
		}
	}
}

// inverse is the one-dimensional transform of eight values that are step apart, divided by 2^shift.
func inverse(v []int32, step int, shift uint) {
	_ = v[7*step]
	z := (v[2*step] + v[6*step]) * c0541
	e2, e3 := z-v[6*step]*c1847, z+v[2*step]*c0765
	e0, e1 := (v[0]+v[4*step])<<constBits, (v[0]-v[4*step])<<constBits
	even := [4]int32{e0 + e3, e1 + e2, e1 - e2, e0 - e3}

	o0, o1, o2, o3 := v[7*step], v[5*step], v[3*step], v[step]
	z1, z2, z3, z4 := -(o0+o3)*c0899, -(o1+o2)*c2562, o0+o2, o1+o3
	z5 := (z3 + z4) * c1175
	z3, z4 = z5-z3*c1961, z5-z4*c0390
	odd := [4]int32{o3*c1501 + z1 + z4, o2*c3072 + z2 + z3, o1*c2053 + z2 + z4, o0*c0298 + z1 + z3}

	half := int32(1) << (shift - 1)
	for i := range 4 {
		v[i*step] = (even[i] + odd[i] + half) >> shift
		v[(7-i)*step] = (even[i] - odd[i] + half) >> shift
	}
}
