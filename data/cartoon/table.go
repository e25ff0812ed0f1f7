package cartoon

const tableSteps = 1 << 13

// table is a function on [0,1] by its values at even steps, straight between: off by an eighth of its second derivative
// divided by tableSteps squared.
type table [tableSteps + 2]float32

func newTable(f func(float64) float64) *table {
	t := new(table)
	for i := range t {
		t[i] = float32(f(float64(i) / tableSteps))
	}
	return t
}

// at is the function at v, or at the nearer end.
func (t *table) at(v float32) float64 {
	x := float64(clamp01(v)) * tableSteps
	i := int(x)
	a, b := float64(t[i]), float64(t[i+1])
	return a + (x-float64(i))*(b-a)
}
