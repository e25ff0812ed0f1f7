package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/internal/jpeg"
	"illustrator/models/nn/nntest"
)

// All that reads pictures sees a picture with a Display P3 profile as it sees its conversion to sRGB, not as it sees
// the numbers that are stored.
func TestEveryEntryConvertsProfiles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles all programs")
	}
	nntest.Backend(t) // or skips
	dir := t.TempDir()
	if err := writeTinyDomain(dir, 1); err != nil {
		t.Fatal(err)
	}
	tagged, converted, stored := profiled(t, dir, "tagged"), profiled(t, dir, "converted"), profiled(t, dir, "stored")
	for name, see := range entries(t, dir) {
		t.Run(name, func(t *testing.T) {
			seen := func(folder string) []byte {
				t.Chdir(folder)
				return see(t)
			}
			got := seen(tagged)
			if !bytes.Equal(got, seen(converted)) {
				t.Error("a picture with a profile is not what its conversion to sRGB is")
			}
			if bytes.Equal(got, seen(stored)) {
				t.Error("a picture with a profile is what it is without")
			}
		})
	}
}

// profiled writes a folder with a photo, and returns the folder. The photo has its profile (tagged), or is converted to
// sRGB, or has neither (stored). A second picture is always the same.
func profiled(t *testing.T, dir, how string) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for i := range img.Pix {
		img.Pix[i] = [4]uint8{250, uint8(i / 10), 40, 255}[i%4]
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	raw := file.Bytes()
	if how != "stored" {
		raw = withProfile(t, raw, "../../data/pictures/decode/testdata/p3.jpg")
	}
	folder := filepath.Join(dir, how)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, photo)
	if err := pictures.WritePNG(filepath.Join(folder, "second.png"), image.NewGray(img.Rect), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	if how == "converted" {
		read, err := pictures.ReadImage(t.Context(), path)
		if err == nil {
			err = pictures.WritePNG(path, read, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// withProfile puts the profile of a JPEG file into a PNG file, behind its first chunk.
func withProfile(t *testing.T, file []byte, from string) []byte {
	t.Helper()
	source, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	header, err := jpeg.ReadHeader(source)
	if err != nil || len(header.Profile) == 0 {
		t.Fatal("no profile", err)
	}
	body := bytes.NewBufferString("iCCPp3\x00\x00")
	z := zlib.NewWriter(body)
	_, err = z.Write(header.Profile)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	const first = 8 + 25
	out := binary.BigEndian.AppendUint32(bytes.Clone(file[:first]), uint32(body.Len()-4))
	out = append(out, body.Bytes()...)
	return append(binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body.Bytes())), file[first:]...)
}

// photo is the picture's name in its folder, in which commands run.
const photo = "photo.png"

// entries are all ways of a picture in the working directory into the program. Each returns what comes out of it.
func entries(t *testing.T, dir string) map[string]func(t *testing.T) []byte {
	texts := filepath.Join(dir, "one.txt")
	if err := os.WriteFile(texts, []byte("a toy\na ball\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	domain := filepath.Join(dir, "tiny.yaml")
	// command runs a command whose flag takes the path out, and returns the file that it wrote.
	command := func(flag, out, file string, args ...string) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			to := t.TempDir()
			execute(t, append(args, "-q", flag, filepath.Join(to, out))...)
			return content(t, filepath.Join(to, file))
		}
	}
	mapped := []string{"--domain", domain, "--mapper", filepath.Join(dir, "mapper")}
	judged := []string{"--domain", domain, "--texts", texts, "--metrics"}
	return map[string]func(*testing.T) []byte{
		"embed":  command("--out", "e.npy", "e.npy", "embed", "--images", photo, "--domain", domain),
		"prompt": command("--out", "p.safetensors", "p.safetensors", "prompt", "--images", ".", "--domain", domain),
		"manipulate": command("--out", "m", "m/strip.png",
			append([]string{"manipulate", "--from", photo, "--to", "a toy"}, mapped...)...),
		"interpolate": command("--out", "i", "i/strip.png", append([]string{"interpolate", photo, "a toy"}, mapped...)...),
		"cartoonize":  command("--out", "c", "c/photo-comic.png", "cartoonize", photo),
		"sheet":       command("--sheet", "s.png", "s.png", "cartoonize", photo),
		"eval": command("--out", "e", "e/scores.jsonl",
			append([]string{"eval", "."}, append(judged, "clip_similarity")...)...),
		"reference": command("--out", "r", "r/eval.csv", append([]string{"eval", filepath.Join(dir, "stored"),
			"--reference", "."}, append(judged, "cmmd")...)...),
		"upload": uploaded(serveTiny(t, dir).URL),
	}
}

// execute runs the command, which must succeed.
func execute(t *testing.T, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	o := terminal.NewOptions("illustrator", io.Discard, &stderr)
	if err := o.Execute(t.Context(), func() *cobra.Command { return newRootCommand(o) }, args); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, stderr.String())
	}
}

// content returns a file; of a PNG its pixels, since its metadata may name the picture that was read.
func content(t *testing.T, path string) []byte {
	t.Helper()
	if filepath.Ext(path) == ".png" {
		img, err := pictures.ReadImage(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return img.Pix
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// uploaded sends the picture to a server and returns the one that it keeps.
func uploaded(url string) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		file, err := os.ReadFile(photo)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.Post(url+"/api/v1/pictures", "image/png", bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var kept struct{ PNG string }
		if err := json.NewDecoder(r.Body).Decode(&kept); err != nil || kept.PNG == "" {
			t.Fatal(r.Status, err)
		}
		path := filepath.Join(t.TempDir(), "kept.png")
		download(t, url+kept.PNG, path)
		return content(t, path)
	}
}
