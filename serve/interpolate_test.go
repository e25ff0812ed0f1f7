package serve_test

import (
	"bytes"
	"image"
	"image/gif"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"illustrator/data/cartoon"
	"illustrator/data/pictures"
	"illustrator/serve"
)

// framesOf are the frames of an animation.
func framesOf(t testing.TB, r *running, p picture) []image.Image {
	t.Helper()
	frames, err := pictures.DecodeAnimation(get(t, r.URL+p.PNG).body, 1<<24)
	if err != nil || len(frames) != p.Frames || p.Kind != "interpolated" {
		t.Fatalf("%d frames, %v; want %+v", len(frames), err, p)
	}
	return frames
}

// shows reports whether a frame is a picture of the gallery, but for 1 of 255: batches differ in float32's last digits.
func shows(t testing.TB, r *running, frame image.Image, p picture) bool {
	t.Helper()
	want := decodePNG(t, get(t, r.URL+p.PNG).body)
	if frame.Bounds() != want.Bounds() {
		return false
	}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			r1, g1, b1, _ := frame.At(x, y).RGBA()
			r2, g2, b2, _ := want.At(x, y).RGBA()
			for _, d := range []int{int(r1>>8) - int(r2>>8), int(g1>>8) - int(g2>>8), int(b1>>8) - int(b2>>8)} {
				if d < -1 || d > 1 {
					return false
				}
			}
		}
	}
	return true
}

// An interpolation of texts begins and ends with what they draw by themselves.
func TestInterpolate(t *testing.T) {
	r := tiny.serve(t)
	from := r.draw(t, "/api/v1/generate", object{"text": "a toy", "seed": 4}).Pictures[0]
	to := r.draw(t, "/api/v1/generate", object{"text": "a ball", "seed": 4}).Pictures[0]
	got := r.draw(t, "/api/v1/interpolate", object{"from": object{"text": " a toy"}, "to": object{"text": "a ball"},
		"steps": 5, "fps": 4, "seed": 4})
	if len(got.Pictures) != 1 || got.Count != 1 {
		t.Fatalf("%+v", got)
	}
	way := got.Pictures[0]
	if way.Frames != 5 || way.FPS != 4 || way.Text != "a toy → a ball" || way.OriginText != "a toy" ||
		way.TargetText != "a ball" || way.Seed != 4 || way.Run != "first" {
		t.Errorf("%+v", way)
	}
	frames := framesOf(t, r, way)
	if !shows(t, r, frames[0], from) || !shows(t, r, frames[4], to) || shows(t, r, frames[2], from) ||
		shows(t, r, frames[2], to) {
		t.Error("the ends are not what the texts draw, or the middle is")
	}
	still := way
	still.PNG += "?still"
	if file := get(t, r.URL+still.PNG); bytes.Contains(file.body, []byte("acTL")) || !shows(t, r, frames[0], still) {
		t.Error("the still is another picture")
	}
	if texts := metaOf(t, r, way); texts["Description"] != "a toy → a ball" || len(texts["mapper-SHA256"]) != 64 {
		t.Errorf("the file's texts: %v", texts)
	}
	a := get(t, r.URL+"/api/v1/pictures/"+way.ID+"/gif?download")
	g, err := gif.DecodeAll(bytes.NewReader(a.body))
	if err != nil || len(g.Image) != 5 || g.Delay[0] != 25 || a.header.Get("Content-Type") != "image/gif" ||
		!strings.HasSuffix(a.header.Get("Content-Disposition"), `.gif"`) {
		t.Errorf("as GIF: %v, %s", err, a.header)
	}
	strip := decodePNG(t, get(t, r.URL+"/api/v1/pictures/"+way.ID+"/strip").body)
	if strip.Bounds().Dx() < 3*strip.Bounds().Dy() {
		t.Errorf("the strip has %v", strip.Bounds().Size())
	}
	for _, form := range []string{"gif", "strip"} {
		if a := get(t, r.URL+"/api/v1/pictures/"+from.ID+"/"+form); a.status != http.StatusNotFound {
			t.Errorf("a single picture as %s: %v", form, a)
		}
	}
	if a := post(t, r.URL+"/api/v1/manipulate", object{"picture": way.ID, "to": "a wagon",
		"alphas": []float64{1}}); a.status != http.StatusBadRequest || decode[problem](t, a).Hint == "" {
		t.Errorf("an animation is manipulated: %v", a)
	}
	if list := decode[drawing](t, get(t, r.URL+"/api/v1/pictures?query=ball+interpolated")); len(list.Pictures) != 1 {
		t.Errorf("the gallery lists %d pictures of it", len(list.Pictures))
	}
}

// Pictures of any kind are ends as they are: refined ones, those of styles of a seed and of another run; or near, where
// they were uploaded. Frames come as they are ready.
func TestInterpolatePictures(t *testing.T) {
	r := tiny.serve(t)
	refined := r.draw(t, "/api/v1/generate", object{"text": "a toy", "seed": 2, "refine": 4, "diversity": "z"}).Pictures[0]
	styled := r.draw(t, "/api/v1/generate", object{"text": "a ball", "seed": 2, "runs": []string{"second"},
		"diversity": "style", "truncation_psi": 0.7}).Pictures[0]
	_, next := stream(t, t.Context(), r.URL+"/api/v1/interpolate",
		`{"from": {"picture": "`+refined.ID+`"}, "to": {"picture": "`+styled.ID+`"}, "steps": 3}`)
	var names []string
	var way picture
	for e := next(); e.name != ""; e = next() {
		if names = append(names, e.name); e.name == "picture" {
			way = decode[picture](t, answer{body: []byte(e.data)})
		}
	}
	if got := strings.Join(names, " "); got != "accepted frame frame frame picture done" {
		t.Errorf("events: %s", got)
	}
	frames := framesOf(t, r, way)
	if !shows(t, r, frames[0], refined) || !shows(t, r, frames[2], styled) || way.Origin != refined.ID ||
		way.Target != styled.ID || way.Seed != 2 {
		t.Errorf("the ends of %+v are %v and %v", way, shows(t, r, frames[0], refined), shows(t, r, frames[2], styled))
	}
	if len(metaOf(t, r, way)["to-mapper-SHA256"]) != 64 {
		t.Error("the mapper of the other run is not named")
	}
	mine := decode[picture](t, r.upload(t, "image/png", encodedPNG(t, image.NewGray(image.Rect(0, 0, 20, 20)))))
	way = r.draw(t, "/api/v1/interpolate", object{"from": object{"picture": mine.ID}, "to": object{"text": "a ball"},
		"steps": 2, "cartoon": "comic"}).Pictures[0]
	if frames := framesOf(t, r, way); frames[0].Bounds().Dx() != 256 || way.Cartoon != "comic" {
		t.Errorf("frames of %v, style %q", frames[0].Bounds().Size(), way.Cartoon)
	}
}

// addFaststyle lets a server redraw pictures by a network.
func addFaststyle(t *testing.T) func(*serve.Options) {
	return func(o *serve.Options) {
		style, err := cartoon.Open(filepath.Join("testdata", "faststyle.yaml"),
			func() (compute.Backend, error) { return o.Domains[0].Models[0].Backend, nil })
		if err != nil {
			t.Fatal(err)
		}
		o.Styles = []serve.Style{{Info: cartoon.Info{Name: "faststyle", Description: "a network"}, Style: style}}
	}
}

// A network redraws pictures as the classical styles do, under its own name; its hash is kept.
func TestCartoonNetwork(t *testing.T) {
	r := tiny.serve(t, addFaststyle(t))
	domain := decode[struct{ Cartoons []cartoon.Info }](t, get(t, r.URL+"/api/v1/domain"))
	if last := domain.Cartoons[len(domain.Cartoons)-1]; last != (cartoon.Info{Name: "faststyle",
		Description: "a network"}) || domain.Cartoons[0].Name != cartoon.Styles()[0].Name {
		t.Errorf("styles %+v", domain.Cartoons)
	}
	if !strings.Contains(string(get(t, r.URL+"/openapi.json").body), `"faststyle"`) {
		t.Error("the document does not have the style")
	}
	got := r.draw(t, "/api/v1/generate", object{"text": "a toy", "count": 4, "cartoon": "faststyle"}).Pictures
	plain := r.draw(t, "/api/v1/generate", object{"text": "a toy", "cartoon": "comic"}).Pictures[0]
	if len(got) != 4 || got[0].Cartoon != "faststyle" || got[0].Width != plain.Width ||
		bytes.Equal(pixelsOf(t, r, got[0]), pixelsOf(t, r, plain)) {
		t.Errorf("%+v", got[0])
	}
	if texts := metaOf(t, r, got[0]); len(texts["cartoon-SHA256"]) != 64 {
		t.Errorf("the file's texts: %v", texts)
	}
	if a := post(t, r.URL+"/api/v1/generate", object{"text": "a toy",
		"cartoon": "faststyle.yaml"}); a.status != http.StatusBadRequest {
		t.Errorf("a file's name: %v", a)
	}
}
