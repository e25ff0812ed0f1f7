package checkpoints

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// nvidiaFile is a pickle as NVIDIA's programs write it, of models/convert/testdata/make_nvidia.py.
const nvidiaFile = "../models/convert/testdata/nvidia.pkl"

// The functions below write pickles of protocol 4, without memo.

func short(s string) string { return "\x8c" + string(rune(len(s))) + s }

func stackGlobal(module, name string) string { return short(module) + short(name) + "\x93" }

func blobOf(data string) string {
	return "B" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data
}

// module is an object of NVIDIA's persistence with these attributes: keys and values in turn.
func module(attributes ...string) string {
	return stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") +
		"}(" + short("class_name") + short("Thing") + short("state") + "}(" + strings.Join(attributes, "") + "uu\x85R"
}

// bytesStorage is a storage of two floats as bytes within a pickle.
func bytesStorage(inner string) string {
	return stackGlobal("torch.storage", "_load_from_bytes") + blobOf(inner) + "\x85R"
}

func innerStorage() string {
	return legacyMagic + "\x80\x02}" + text("little_endian") + "\x88s." + "\x80\x02" + legacyStorage("7", 2, "N") + "." +
		"\x80\x02]" + text("7") + "a." + legacyData(2, "\x00\x00\x80?\x00\x00\x00@")
}

func plainTensor(storage string) string {
	return stackGlobal("torch._utils", "_rebuild_tensor_v2") + "(" + storage + "K\x00K\x02\x85K\x01\x85\x89" +
		stackGlobal("collections", "OrderedDict") + ")Rt" + "R"
}

func plain(value string) []byte { return []byte("\x80\x04" + value + ".") }

func TestReadPlainPickle(t *testing.T) {
	inner := module(short("_buffers"), stackGlobal("collections", "OrderedDict")+")R("+short("b")+
		plainTensor(bytesStorage(innerStorage()))+"u", short("rate"), "G\x3f\xe0\x00\x00\x00\x00\x00\x00")
	outer := module(short("_modules"), "}"+short("sub")+inner+"s", short("size"), "K\x10", short("none"), "N",
		short("kind"), short("skip"))
	f, err := ParseTorch("f.pkl", plain("}"+short("G_ema")+outer+"s"))
	if err != nil {
		t.Fatal(err)
	}
	g, ok := f.Section("G_ema")
	if !ok || f.Format() != "Python pickle" {
		t.Fatalf("keys %v, format %q", f.Keys(), f.Format())
	}
	w, err := g.Weights("")
	if err != nil {
		t.Fatal(err)
	}
	if b := w.Tensors["sub.b"]; !slices.Equal(b.Shape, []int{2}) ||
		!bytes.Equal(b.Data, Float32Tensor([]float32{1, 2}).Data) || len(w.Tensors) != 1 {
		t.Errorf("got %v", w.Tensors)
	}
	for name, want := range map[string]any{"size": 16, "none": nil, "kind": "skip", "sub.rate": 0.5, ClassValue: "Thing",
		"sub." + ClassValue: "Thing"} {
		if got, ok := g.Value(name); !ok || got != want {
			t.Errorf("%s is %v (%t), want %v", name, got, ok, want)
		}
	}
	if v, ok := g.Value("sub.b"); ok {
		t.Errorf("a tensor is a value: %v", v)
	}
	if list, err := f.List(); err != nil || len(list) != 1 || list[0].Name != "G_ema/sub.b" || list[0].Bytes != 8 {
		t.Errorf("list %v, %v", list, err)
	}
}

func TestPlainPickleHostile(t *testing.T) {
	call := func(class string) string { return class + short("touch EXECUTED") + "\x85R" }
	deep := strings.Repeat("(", maxMarks+1)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"os.system alone":     {plain(call(stackGlobal("os", "system"))), "class os.system"},
		"posix.system alone":  {plain(call("cposix\nsystem\n")), "class posix.system"},
		"eval alone":          {plain(call(stackGlobal("builtins", "eval"))), "class builtins.eval"},
		"getattr":             {plain(call(stackGlobal("builtins", "getattr"))), "class builtins.getattr"},
		"list of the machine": {plain(call(stackGlobal("builtins", "list"))), "class builtins.list"},
		"array": {plain(call(stackGlobal("array", "_array_reconstructor"))),
			"class array._array_reconstructor"},
		"program": {plain(stackGlobal("__torch__", "M") + ")\x81"), "class __torch__.M"},
		"module of torch": {plain(stackGlobal("torch.nn.modules.linear", "Linear") + ")\x81"),
			"class torch.nn.modules.linear.Linear"},
		"TensorFlow":          {plain(stackGlobal("dnnlib.tflib.network", "Network") + ")\x81"), "StyleGAN for TensorFlow"},
		"class of numbers":    {plain("K\x01K\x02\x93"), "something else than two texts"},
		"own id":              {plain("K\x00Q"), "not one of those that Python writes"},
		"bytes of 2^60":       {plain("\x8e\x00\x00\x00\x00\x00\x00\x00\x10"), "claims 1152921504606846976 bytes"},
		"bytes cut short":     {plain("B\x00\x00\x00\x7f"), "claims 2130706432 bytes"},
		"text of 2 GB":        {plain("X\x00\x00\x00\x7f"), "at most"},
		"text cut short":      {[]byte("\x80\x04\x8c\x09ab."), "unexpected EOF"},
		"long text":           {plain("\x8d\x00\x00\x00\x00\x00\x00\x00\x10"), "not one of those"},
		"number of 255 bytes": {plain("\x8a\xff"), "unexpected EOF"},
		"protocol 6":          {[]byte("\x80\x04\x80\x06."), "protocol 6"},
		"too deep":            {plain(deep), "nests more than"},
		"no end":              {[]byte("\x80\x04}"), "without the instruction to stop"},
		"more behind":         {[]byte("\x80\x04}.}"), "1 bytes follow"},
		"long class":          {plain("c" + strings.Repeat("x", 600)), "a line of more than"},
		"too long":            {plain(strings.Repeat("N0", maxInstructions/2)), "more than 200000 instructions"},
		"a number":            {plain("K\x01"), "neither a dict nor a tensor"},
		"empty stack":         {plain("s"), "pickle"},
		"list as a dict":      {plain("]K\x01K\x02s"), "pickle"},
		"no state": {plain(stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") + "}\x85R"),
			"lacks class_name or state"},
		"state of a text": {plain(stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") + "}" +
			short("state") + short("x") + "s\x85R"), "is of type string"},
		"object of nothing": {plain(stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") + ")R"),
			"made of 0 arguments"},
		"attribute twice":     {plain(module(short("a"), "K\x01", short("a"), "K\x02")), `"a" occurs twice`},
		"number as attribute": {plain(module("K\x01", "K\x02")), "attribute of type int"},
		"module in itself": {plain(stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") + "}(" +
			short("class_name") + short("T") + short("state") + "}\x94(" + short("_modules") + "}" + short("a") +
			stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") + "}(" + short("class_name") + short("T") +
			short("state") + "h\x00u\x85Rsuu\x85R"), "modules nest more than"},
		"bytes of no storage": {plain(bytesStorage("hello")), "not what PyTorch writes"},
		"storage of a number": {plain(stackGlobal("torch.storage", "_load_from_bytes") + "K\x01\x85R"), "not made of bytes"},
		"storage of a dict": {plain(bytesStorage(legacyMagic + "\x80\x02}" + text("little_endian") + "\x88s." +
			"\x80\x02}." + "\x80\x02].")), "hold something else"},
		"storage of a class": {plain(bytesStorage(legacyMagic + "\x80\x02}" + text("little_endian") + "\x88s." +
			dict("a", global("posix", "system")+tuple(text("true"))+"R") + "\x80\x02].")), "hold something else"},
		"storage cut short": {plain(bytesStorage(innerStorage()[:len(innerStorage())-1])), "storage at byte"},
		"tensor outside": {plain(strings.Replace(plainTensor(bytesStorage(innerStorage())), "K\x00K\x02", "K\x01K\x02",
			1)), "it ends outside"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, "bad.pkl", len(c.data), func() error { _, err := ParseTorch("bad.pkl", c.data); return err }, c.want)
		})
	}
	if _, err := os.Stat("EXECUTED"); err == nil {
		t.Error("a pickle was executed")
	}
}

// A module that holds the one before it ten times, sixteen times over, would unfold into more than there is memory for.
func TestPlainPickleDoesNotUnfold(t *testing.T) {
	var p strings.Builder
	p.WriteString("}" + short("0") + module() + "\x94s0") // memo 0
	for i := range 12 {
		p.WriteString(stackGlobal("torch_utils.persistence", "_reconstruct_persistent_obj") + "}(" + short("class_name") +
			short("T") + short("state") + "}" + short("_modules") + "}(")
		for k := range 10 {
			p.WriteString(short(fmt.Sprint(k)) + "h" + string(rune(i)))
		}
		p.WriteString("usu\x85R\x94")
		if i < 11 {
			p.WriteString("0")
		}
	}
	data := plain(p.String())
	refuse(t, "bad.pkl", 1<<20, func() error { _, err := ParseTorch("bad.pkl", data); return err },
		"modules have more than")
}

// A true file that is cut anywhere is an error; one with a flipped bit is one, or is read as some file: never a panic,
// and within bounds.
func TestPlainPickleDamaged(t *testing.T) {
	whole, err := os.ReadFile(nvidiaFile)
	if err != nil {
		t.Fatal(err)
	}
	step := 97
	if testing.Short() {
		step = 997
	}
	for n := 0; n < len(whole); n += step {
		if _, err := ParseTorch("cut.pkl", whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are no error", n, len(whole))
		}
	}
	errors := 0
	for i := 0; i < len(whole); i += step {
		data := bytes.Clone(whole)
		data[i] ^= 1 << (i % 8)
		f, err := ParseTorch("flipped.pkl", data)
		if err != nil {
			errors++
			continue
		}
		walk(t, f.TorchDict)
	}
	if errors < len(whole)/step/4 {
		t.Errorf("only %d of %d flips are errors", errors, len(whole)/step)
	}
}

// What ReadTorch reads of a large pickle is its skeleton.
func TestPlainPickleReadsNoElements(t *testing.T) {
	const size = 256 << 20
	path := filepath.Join(t.TempDir(), "large.pkl")
	inner := legacyMagic + "\x80\x02}" + text("little_endian") + "\x88s." + "\x80\x02" + legacyStorage("7", size/4, "N") +
		"." + "\x80\x02]" + text("7") + "a." +
		string(binary.LittleEndian.AppendUint64(nil, size/4))
	head := "\x80\x04}" + short("x") + stackGlobal("torch._utils", "_rebuild_tensor_v2") + "(" +
		stackGlobal("torch.storage", "_load_from_bytes") +
		"B" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(inner)+size))) + inner
	tail := "\x85RK\x00J\x00\x00\x00\x04\x85K\x01\x85\x89NtRs."
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(head); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(tail), int64(len(head)+size)); err != nil { // a hole lies before it
		t.Fatal(err)
	}
	var got *TorchFile
	if cost := allocated(func() { got, err = ReadTorch(path) }); cost > 1<<20 {
		t.Errorf("allocated %d bytes", cost)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	w, err := got.Headers("")
	if x := w.Tensors["x"]; err != nil || !slices.Equal(x.Shape, []int{size / 4}) || x.Data != nil {
		t.Errorf("%v, %v", w, err)
	}
}
