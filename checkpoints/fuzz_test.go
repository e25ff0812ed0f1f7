package checkpoints

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// go test ./checkpoints -fuzz FuzzParseSafetensors -fuzztime 1m

func FuzzParseSafetensors(f *testing.F) {
	var whole bytes.Buffer
	if err := serialize(&whole, sampleWeights(), map[string]string{"format": "pt"}); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(file(`{}`, 0))
	f.Add(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(
		file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[0,3],"data_offsets":[4,4]}}`,
			4))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := ParseSafetensors("fuzz", data)
		if err != nil {
			return
		}
		checkConsistent(t, w)
		var again bytes.Buffer
		if err := serialize(&again, w, w.Metadata); err != nil {
			t.Fatal(err)
		}
		back, err := ParseSafetensors("again", again.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, back, w)
	})
}

// walk reads every tensor of a tree.
func walk(t *testing.T, d *TorchDict) {
	for _, key := range d.Keys() {
		if sub, ok := d.Section(key); ok {
			walk(t, sub)
		} else if x, err := d.Tensor(key); err == nil {
			checkConsistent(t, &Weights{Tensors: map[string]Tensor{key: x}})
		}
	}
}

func FuzzParseTorch(f *testing.F) {
	for _, name := range []string{"views.pt", "tensor.pth", "malicious.pt", "int8.pt", "script.pt", "legacy.pt",
		"../../models/convert/testdata/nvidia_stylegan3.pkl"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := ParseTorch("fuzz", data); err == nil {
			walk(t, file.TorchDict)
		}
	})
}

// The checksums of an archive keep a fuzzer from the pickle in it: this target puts pickles into archives.
func FuzzTorchPickle(f *testing.F) {
	float := storage("FloatStorage", "0", 6)
	f.Add(dict("a", tensor(float, 1, numbers(2, 2), numbers(1, 2))))
	f.Add(dict("a", global("collections", "OrderedDict")+")Rq\x00("+text("b")+"h\x00K\x01\x88u}"+text("c")+"Nsb"))
	f.Add("\x80\x04\x95\x00\x01\x00\x00\x00\x00\x00\x00}" + text("a") + stackGlobal("os", "system") +
		short("x") + "\x85Rs.")
	f.Add("\x80\x05}" + text("a") + tensor(float, 1, numbers(2, 2), numbers(1, 2)) + "s.")
	f.Add("\x80\x02]q\x00h\x00a)\x81.")
	f.Add(dict("a", global("argparse", "Namespace")+")\x81}"+text("lr")+"G\x3f\xf0\x00\x00\x00\x00\x00\x00sb"))
	f.Add(dict("a", global("torch", "Size")+tuple(numbers(2, 3))+"R"))
	f.Add("\x80\x02]q\x00(K\x01M\x01\x02J\x01\x02\x03\x04NU\x01aC\x01bT\x01\x00\x00\x00c\x85\x86\x87e.")
	f.Fuzz(func(t *testing.T, pickle string) {
		if file, err := ParseTorch("fuzz", checkpoint(t, pickle)); err == nil {
			walk(t, file.TorchDict)
		}
	})
}
