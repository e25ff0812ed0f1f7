package checkpoints

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// legacy.pt is {"a": torch.ones(2)} as PyTorch 2.15 writes it with _use_new_zipfile_serialization=False. A file of
// Python 2 is read in package lpips.
func TestReadLegacyTorch(t *testing.T) {
	a, err := openTorch(t, "legacy.pt").Tensor("a")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Shape, []int{2}) || !slices.Equal(a.Data, Float32Tensor([]float32{1, 1}).Data) {
		t.Errorf("got %v", a)
	}
}

var legacyMagic = legacyBegin(2)

// torch.save writes both forms with any pickle_protocol; testdata/protocols.py says how these files were made. The
// values are those that the script gives the tensors, classes that mean nothing here lie beside them.
func TestPickleProtocols(t *testing.T) {
	for _, name := range []string{"zip3.pt", "zip4.pt", "zip5.pt", "legacy3.pt", "legacy4.pt", "legacy5.pt"} {
		f := openTorch(t, filepath.Join("protocols", name))
		d, ok := f.Section("state_dict")
		if !ok {
			t.Fatalf("%s: no state_dict", name)
		}
		for key, want := range map[string]Tensor{
			"a.weight": Float32Tensor([]float32{1, 2, 3, 4, 5, 6}, 2, 3), "view": Float32Tensor([]float32{3, 5}, 2),
			"double": Float64Tensor([]float64{0.1}, 1),
		} {
			got, err := d.Tensor(key)
			if err != nil || !slices.Equal(got.Shape, want.Shape) || !slices.Equal(got.Data, want.Data) {
				t.Errorf("%s: %s is %v, %v, want %v", name, key, got, err, want)
			}
		}
		if acting := f.Acting(); len(acting) > 0 {
			t.Errorf("%s: %v", name, acting)
		}
	}
}

// legacyStorage is a storage with a sixth item: what it is a view of.
func legacyStorage(key string, numel int, view string) string {
	return tuple(text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"), number(numel), view) + "Q"
}

// legacyData is a storage's part of the file.
func legacyData(count int, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(count))) + data
}

func TestLegacyTorchHostile(t *testing.T) {
	machine := "\x80\x02}" + text("little_endian") + "\x88s."
	keys := func(names ...string) string {
		list := "\x80\x02]("
		for _, n := range names {
			list += text(n)
		}
		return list + "e."
	}
	one := func(storage string) string { return dict("a", tensor(storage, 0, numbers(2), numbers(1))) }
	old := func(args string) string {
		return dict("a", global("torch._utils", "_rebuild_tensor")+args+"R")
	}
	good, eight := one(legacyStorage("0", 2, "N")), "\x00\x00\x80?\x00\x00\x00@"
	file := func(parts ...string) []byte { return []byte(legacyMagic + strings.Join(parts, "")) }
	for name, data := range map[string][]byte{
		"good": file(machine, good, keys("0"), legacyData(2, eight)),
		"pairs": file(machine, "\x80\x02"+global("collections", "OrderedDict")+
			tuple("](]("+text("a")+tensor(legacyStorage("0", 2, "N"), 0, numbers(2), numbers(1))+"ee")+"R.",
			keys("0"), legacyData(2, eight)),
		"old tensor": file(machine, old(tuple(legacyStorage("0", 2, "N"), number(0), numbers(2), numbers(1))), keys("0"),
			legacyData(2, eight)),
	} {
		f, err := ParseTorch(name, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a, err := f.Tensor("a"); err != nil || !slices.Equal(a.Data, []byte(eight)) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"big endian": {file("\x80\x02}"+text("little_endian")+"\x89s.", good, keys("0"), legacyData(2, eight)),
			"not say that it is little-endian"},
		"no machine": {file("\x80\x02N.", good, keys("0"), legacyData(2, eight)),
			"not say that it is little-endian"},
		"machine of storages": {file(dict("a", legacyStorage("0", 2, "N"))), "not that of a storage"},
		"view": {file(machine, one(legacyStorage("0", 2, tuple(text("1"), number(0), number(2)))), keys("0"),
			legacyData(2, eight)), "view of another"},
		"id of five": {file(machine, one(storage("FloatStorage", "0", 2)), keys("0"), legacyData(2, eight)),
			"not that of a storage"},
		"storage of 2^61": {file(machine, one(legacyStorage("0", 1<<61, "N")), keys("0"), legacyData(1<<61, eight)),
			"claims 2305843009213693952 elements"},
		"negative storage": {file(machine, one(legacyStorage("0", -1, "N")), keys("0"), legacyData(2, eight)),
			"claims -1 elements"},
		"another count":   {file(machine, good, keys("0"), legacyData(3, eight)), "has 3 elements, its tensors say 2"},
		"data cut short":  {file(machine, good, keys("0"), legacyData(2, eight[:7])), "has 8 bytes, the file has 7 left"},
		"count cut short": {file(machine, good, keys("0"), "\x02"), "unexpected EOF"},
		"no data":         {file(machine, good, keys()), `storage "0" has no data`},
		"data of none":    {file(machine, good, keys("1"), legacyData(2, eight)), "which no tensor has"},
		"data twice": {file(machine, good, keys("0", "0"), legacyData(2, eight), legacyData(2, eight)),
			"occurs twice"},
		"more behind":      {file(machine, good, keys("0"), legacyData(2, eight), "x"), "1 bytes follow"},
		"keys are numbers": {file(machine, good, "\x80\x02](K\x00e.", legacyData(2, eight)), "which no tensor has"},
		"keys are no list": {file(machine, good, "\x80\x02N.", legacyData(2, eight)), "not a list"},
		"class alone": {file(machine, "\x80\x02"+global("posix", "system")+tuple(text("true"))+"R.", keys()),
			"class posix.system"},
		"two sizes": {file(machine, "\x80\x02}("+text("a")+legacyStorage("0", 2, "N")+text("b")+
			legacyStorage("0", 1, "N")+"u.", keys("0"), legacyData(2, eight)), "occurs twice"},
		"pairs of three": {file(machine, "\x80\x02"+global("collections", "OrderedDict")+tuple("](](NNNee")+"R.",
			keys()), "not made of pairs"},
		"old tensor of three": {file(machine, old(tuple(legacyStorage("0", 2, "N"), number(0), numbers(2))), keys("0"),
			legacyData(2, eight)), "3 arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, "bad.pt", len(c.data), func() error { _, err := ParseTorch("bad.pt", c.data); return err }, c.want)
		})
	}
	// A good file cut anywhere is an error, never a panic.
	whole := file(machine, good, keys("0"), legacyData(2, eight))
	for n := range whole {
		if _, err := ParseTorch(fmt.Sprintf("cut at %d", n), whole[:n]); err == nil {
			t.Errorf("no error for the first %d bytes", n)
		}
	}
}
