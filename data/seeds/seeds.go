// Package seeds parses lists of seeds and draws the z that belongs to a seed.
package seeds

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"illustrator/internal/fault"
)

// zStream is the second seed word of the generator behind Z: with another word the same seed would give other values.
const zStream = 0x5a7e_4e28_302c_4929 // "Z~N(0,I)" in ASCII

// Max is the largest number of seeds that Parse accepts in one list.
const Max = 100_000

// Z returns the dim values of z ~ N(0, I) that belong to a seed: successive NormFloat64 of math/rand/v2's PCG seeded
// with (seed, zStream), rounded to float32. A longer z begins with the values of a shorter one. Pairs, rendering and
// generating by seed all use it, so a seed means the same z everywhere and on every machine.
func Z(seed uint64, dim int) []float32 {
	r := rand.New(rand.NewPCG(seed, zStream))
	z := make([]float32, dim)
	for i := range z {
		z[i] = float32(r.NormFloat64())
	}
	return z
}

// Parse reads a list such as "0,1,4-6": numbers and inclusive ranges, in the order given, each seed once and at most
// Max of them.
func Parse(list string) ([]uint64, error) {
	var seeds []uint64
	seen := map[uint64]bool{}
	for _, item := range strings.Split(list, ",") {
		first, last, err := parseRange(strings.TrimSpace(item))
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("seeds %q: %w", list, err),
				"give whole numbers and ranges separated by commas, such as 0,1,4-6")
		}
		if last-first >= uint64(Max-len(seeds)) {
			return nil, fault.Usage(fmt.Errorf("seeds %q: more than %d seeds", list, Max), "split the list over several runs")
		}
		for seed := first; ; seed++ {
			if seen[seed] {
				return nil, fault.Usage(fmt.Errorf("seeds %q: %d is given twice", list, seed), "name each seed once")
			}
			seen[seed] = true
			seeds = append(seeds, seed)
			if seed == last {
				break // not the loop's condition: last may be the largest number there is
			}
		}
	}
	return seeds, nil
}

// parseRange reads "4" or "4-6".
func parseRange(item string) (first, last uint64, err error) {
	if item == "" {
		return 0, 0, fmt.Errorf("an item is empty")
	}
	from, to, isRange := strings.Cut(item, "-")
	if first, err = parseSeed(from); err != nil {
		return 0, 0, err
	}
	if !isRange {
		return first, first, nil
	}
	if last, err = parseSeed(to); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, fmt.Errorf("the range %q runs backwards", item)
	}
	return first, last, nil
}

func parseSeed(s string) (uint64, error) {
	s = strings.TrimSpace(s)
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil {
		return n, nil
	}
	if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
		return 0, fmt.Errorf("%q is larger than %d", s, uint64(1<<64-1))
	}
	return 0, fmt.Errorf("%q is not a whole number of at least 0", s)
}
