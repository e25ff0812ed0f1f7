package draw

import (
	"reflect"
	"testing"

	"illustrator/data/texts"
	"illustrator/models/classifier"
)

func TestCompareAttributes(t *testing.T) {
	cfg := classifier.Config{Attributes: []classifier.Attribute{
		{Name: "roof", Values: []string{"flat", "tiled", "thatched"}}, {Name: "tower", Values: []string{"none", "tower"}},
		{Name: "sky", Values: []string{"grey", "blue"}}, {Name: "door", Values: []string{"red", "green"}},
	}}
	text := texts.Text{Attributes: map[string][]string{"roof": {"tiled", "thatched"}, "tower": {"tower"}}}
	got := CompareAttributes(cfg, text, []int{0, 0, 1, 0}, []int{2, 0, 1, 1})
	want := Change{
		Found: 1, Named: 2, Kept: 1, Others: 2, Changed: map[string]string{"roof": "flat → thatched", "door": "red → green"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
