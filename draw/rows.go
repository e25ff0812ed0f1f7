package draw

import "errors"

// rows are the rows of a stage, each once.
type rows[K comparable] struct {
	width  int
	keys   []K
	at     map[K]int
	values []float32
}

// add returns the number of a row, which is a new one if its key is.
func (r *rows[K]) add(key K) int {
	at, known := r.at[key]
	if !known {
		if r.at == nil {
			r.at = map[K]int{}
		}
		at = len(r.keys)
		r.at[key], r.keys = at, append(r.keys, key)
	}
	return at
}

func (r *rows[K]) row(i int) []float32 { return row(r.values, r.width, i) }

// fill makes room for the values of all rows.
func (r *rows[K]) fill(width int) {
	r.width, r.values = width, make([]float32, len(r.keys)*width)
}

// row returns row i of rows of the given width, cut off from the rest.
func row(values []float32, width, i int) []float32 {
	return values[i*width : (i+1)*width : (i+1)*width]
}

// gather returns the rows of an ascending group: values itself, where these are all of them.
func gather(values []float32, width int, group []int) []float32 {
	if len(group)*width == len(values) {
		return values
	}
	out := make([]float32, 0, len(group)*width)
	for _, i := range group {
		out = append(out, row(values, width, i)...)
	}
	return out
}

// idea identifies an embedding that a mapper takes: that of a text after a projection, or one that is taken as it is.
type idea struct {
	model  int
	text   string
	embed  *float32 // the text's or the picture's, where it is given
	plain  bool     // taken as it is
	origin *Origin
	alpha  float64
}

// place identifies a z: an idea's, with a seed's random z mixed into it; a seed's alone; or one that is given.
type place struct {
	idea   int // or none
	spread float64
	seed   uint64
	z      *float32
}

// style identifies the styles of a z.
type style struct {
	z   int
	psi float64
}

// parts are the styles that a source's come from; none is a part that it does not have.
type parts struct {
	own    int // of its z
	random int // of its seed's z, in the layers below InjectIndex
	// With KeepW own is what the mapper predicts: its difference from base, the origin's prediction, is added to kept.
	kept, base int
}

const none = -1

// findSources lists the sources, each once: the pictures of a way share its ends.
func (b *drawing) findSources() {
	known := map[*Recipe]int{}
	find := func(r *Recipe) int {
		at, ok := known[r]
		if !ok {
			at = len(b.sources)
			known[r], b.sources = at, append(b.sources, r)
		}
		return at
	}
	for _, r := range b.recipes {
		from, to := r, r
		if r.Way != nil {
			from, to = &r.Way.From, &r.Way.To
		}
		b.ends = append(b.ends, [2]int{find(from), find(to)})
	}
}

// findRows lists the rows of all stages, each once, in the sources' order. Styles of seeds come behind all others.
func (b *drawing) findRows() error {
	b.known, b.parts = map[*float32][]float32{}, make([]parts, len(b.sources))
	for i, r := range b.sources {
		own := place{idea: none}
		if r.Z != nil {
			own = b.given(r.Z)
		} else {
			own.idea = b.ideas.add(r.idea())
			if r.Spread > 0 {
				own.spread, own.seed = r.Spread, r.Seed
			}
		}
		b.parts[i] = parts{own: b.style(own, r), random: none, kept: none, base: none}
		o := r.Origin
		if o == nil || o.Keep != KeepW || r.Z != nil {
			continue
		}
		if o.Z == nil {
			return errors.New("the origin's z is not known, so its styles cannot be kept")
		}
		b.parts[i].kept = b.style(b.given(o.Z), r)
		b.parts[i].base = b.style(place{idea: b.ideas.add(idea{model: r.Model, plain: true, origin: o})}, r)
	}
	b.predicted = len(b.styles.keys)
	for i, r := range b.sources {
		if r.InjectIndex > 0 {
			b.parts[i].random = b.style(place{idea: none, seed: r.Seed}, r)
		}
	}
	return nil
}

// idea identifies the embedding of a recipe.
func (r *Recipe) idea() idea {
	if r.ImageEmbed != nil {
		return idea{model: r.Model, embed: &r.ImageEmbed[0], plain: true}
	}
	i := idea{model: r.Model, plain: r.NoProjection && r.Origin == nil, origin: r.Origin, alpha: r.Alpha}
	if r.TextEmbed != nil {
		i.embed = &r.TextEmbed[0]
	} else {
		i.text = r.Text.Text
	}
	return i
}

// given returns the place of a z that is known.
func (b *drawing) given(z []float32) place {
	b.known[&z[0]] = z
	return place{idea: none, z: &z[0]}
}

// style returns the number of the styles of a z, truncated as r says.
func (b *drawing) style(z place, r *Recipe) int {
	return b.styles.add(style{b.z.add(z), r.TruncationPsi})
}
