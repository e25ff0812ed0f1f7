// Package scene defines domains of drawn pictures with known attributes, and the map from z to the scene that a picture
// shows.
package scene

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
)

// An Attribute is a property of a scene with a finite set of values.
type Attribute struct {
	Name   string
	Values []string
	// ValueOf maps each vertex of the attribute's simplex to an index of Values. A value with several vertices is as much
	// likelier. Nil gives each value one vertex.
	ValueOf []int
}

// Vertices returns the number of vertices of the attribute's simplex. The attribute takes one dimension less of u.
func (a Attribute) Vertices() int { return len(a.vertices()) }

// Value returns the index of the value that vertex stands for.
func (a Attribute) Value(vertex int) int { return a.vertices()[vertex] }

func (a Attribute) vertices() []int {
	if a.ValueOf != nil {
		return a.ValueOf
	}
	each := make([]int, len(a.Values))
	for i := range each {
		each[i] = i
	}
	return each
}

// A Variation is a property of a scene without named values, such as a size.
type Variation struct {
	Name string
	// Binary variations matter by their sign only: they choose between two drawings.
	Binary bool
}

// A Scene describes one picture of a domain.
type Scene struct {
	// Values holds an index of Attribute.Values per attribute.
	Values []int
	// Continuous holds a number per variation: about N(0, 1).
	Continuous []float32
}

// A Domain draws scenes and captions them. Its methods are safe for concurrent use.
type Domain interface {
	// Name returns the name that commands call the domain by.
	Name() string
	// Seed returns the seed of the rotation from z to u.
	Seed() int64
	// Attributes returns the attributes in the order of Scene.Values.
	Attributes() []Attribute
	// Continuous returns the variations in the order of Scene.Continuous.
	Continuous() []Variation
	// Render draws the scene in size × size opaque pixels. Equal scenes give equal pixels.
	Render(s Scene, size int) *image.NRGBA
	// Caption describes part of what is visible in the scene in English, or names a concept that fits it.
	Caption(s Scene, random *rand.Rand) string
	// Visible reports whether a picture of the scene shows the value of an attribute.
	Visible(s Scene, attribute int) bool
}

// Validate reports the first value of s that d does not have.
func Validate(d Domain, s Scene) error {
	attributes := d.Attributes()
	if len(s.Values) != len(attributes) {
		return fmt.Errorf("scene of %s: %d values for %d attributes", d.Name(), len(s.Values), len(attributes))
	}
	for i, a := range attributes {
		if v := s.Values[i]; v < 0 || v >= len(a.Values) {
			return fmt.Errorf("scene of %s: %s %d: use 0 to %d", d.Name(), a.Name, v, len(a.Values)-1)
		}
	}
	if want := len(d.Continuous()); len(s.Continuous) != want {
		return fmt.Errorf("scene of %s: %d variations, not %d", d.Name(), len(s.Continuous), want)
	}
	return nil
}

// Index returns the index of the attribute called name, or -1.
func Index(d Domain, name string) int {
	return slices.IndexFunc(d.Attributes(), func(a Attribute) bool { return a.Name == name })
}
