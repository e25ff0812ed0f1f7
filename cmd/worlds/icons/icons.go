// Package icons makes captioned pictures of emoji: a wide vocabulary for a CLIP to learn beside the domains.
package icons

import (
	"context"
	"errors"
	"fmt"
	"image"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// placements is the number of pictures of each icon: each has another place, size and background.
const placements = 8

// A Set holds icons as small pictures, and places them in pictures.
type Set struct {
	size  int
	seed  uint64
	icons []icon
	rows  int
}

// An icon is a small picture with its names.
type icon struct {
	label string
	tags  []string
	color string // the color that most of it has, if one does
	image *image.RGBA
}

// emoji is an entry of emojibase-data.
type emoji struct {
	Label   string
	Hexcode string
	Tags    []string
	Group   *int
}

// Groups of emojibase-data that are left out: symbols and flags mean little in pictures of this size.
const (
	symbols = 8
	flags   = 9
)

// Open reads the packages that Download put into a folder, for pictures of size × size pixels. The seed decides places,
// sizes and backgrounds.
func Open(ctx context.Context, folder string, size int, seed uint64) (*Set, error) {
	var all []emoji
	if err := names.read(folder, map[string]any{"package/en/data.json": &all}); err != nil {
		return nil, err
	}
	keepSharedTags(all)
	set := &Set{size: size, seed: seed}
	for _, p := range packages {
		if p.Name == names.Name {
			continue
		}
		var file iconFile
		chars := make(map[string]string)
		files := map[string]any{"package/icons.json": &file, "package/chars.json": &chars}
		if err := p.read(folder, files); err != nil {
			return nil, err
		}
		icons, err := file.draw(ctx, all, chars, size)
		if err != nil {
			return nil, fmt.Errorf("icons of npm package %s: %w", p.Name, err)
		}
		set.icons = append(set.icons, icons...)
	}
	set.rows = len(set.icons) * placements
	return set, nil
}

// keepSharedTags removes the tags that fewer than minShared emoji have: a CLIP would see them too rarely to learn them.
func keepSharedTags(all []emoji) {
	const minShared = 4
	shared := make(map[string]int)
	for _, e := range all {
		for _, tag := range e.Tags {
			shared[tag]++
		}
	}
	for i := range all {
		all[i].Tags = slices.DeleteFunc(all[i].Tags, func(tag string) bool { return shared[tag] < minShared })
	}
}

// iconFile is an icons.json of iconify.
type iconFile struct {
	Width, Height float64
	Icons         map[string]struct {
		Body          string
		Width, Height float64
	}
	Aliases map[string]struct{ Parent string }
}

// draw draws the icons of the emoji that the file has, on all processors.
func (f iconFile) draw(ctx context.Context, all []emoji, chars map[string]string, size int) ([]icon, error) {
	drawings := make([]icon, len(all))
	errs := make([]error, len(all))
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(all) && ctx.Err() == nil; i += workers {
				drawings[i], errs[i] = f.icon(all[i], chars, size)
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(drawings, func(i icon) bool { return i.image == nil }), nil
}

// icon draws the icon of an emoji; its picture is nil if the file has none, or one that is not drawn right.
func (f iconFile) icon(e emoji, chars map[string]string, size int) (icon, error) {
	if e.Group == nil || *e.Group == symbols || *e.Group == flags {
		return icon{}, nil
	}
	code := strings.ToLower(e.Hexcode)
	name, known := chars[code]
	if !known {
		name, known = chars[strings.ReplaceAll(code, "-fe0f", "")]
	}
	if alias, ok := f.Aliases[name]; ok {
		name = alias.Parent
	}
	body, has := f.Icons[name]
	if !known || !has {
		return icon{}, nil
	}
	if body.Width == 0 {
		body.Width, body.Height = f.Width, f.Height
	}
	picture, err := rasterize(body.Body, body.Width, body.Height, size)
	if errors.Is(err, errBeyond) {
		return icon{}, nil
	}
	if err != nil {
		return icon{}, fmt.Errorf("%s: %w", name, err)
	}
	return icon{label: clean(e.Label), tags: cleanAll(e.Tags), color: mainColor(picture), image: picture}, nil
}

// Name returns "icons".
func (s *Set) Name() string { return "icons" }

// HeldOut returns the number of pictures that follow those to train on.
func (s *Set) HeldOut() int { return min(len(s.icons), 512) }

// Len returns the number of pictures to train on.
func (s *Set) Len() int { return s.rows - s.HeldOut() }
