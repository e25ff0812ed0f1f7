package checkpoints

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"
)

// The functions below write pickles instruction by instruction.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(n int) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func global(module, name string) string { return "c" + module + "\n" + name + "\n" }

func tuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func numbers(n ...int) string {
	var items []string
	for _, v := range n {
		items = append(items, number(v))
	}
	return tuple(items...)
}

func storage(class, key string, numel int) string {
	return tuple(text("storage"), global("torch", class), text(key), text("cpu"), number(numel)) + "Q"
}

func tensor(storage string, offset int, shape, strides string) string {
	return global("torch._utils", "_rebuild_tensor_v2") + tuple(storage, number(offset), shape, strides, "\x89", "N") + "R"
}

// dict is a whole pickle of a dict with one entry.
func dict(key, value string) string { return "\x80\x02}" + text(key) + value + "s." }

// entry is a file in a zip archive. A size other than that of the data is a lie.
type entry struct {
	name   string
	data   string
	size   uint64
	method uint16
}

func archiveOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		if e.method != zip.Store {
			f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(f, e.data)
			continue
		}
		h := &zip.FileHeader{Name: e.name, CRC32: crc32.ChecksumIEEE([]byte(e.data)), UncompressedSize64: uint64(len(e.data))}
		if e.size != 0 {
			h.UncompressedSize64 = e.size
		}
		h.CompressedSize64 = h.UncompressedSize64
		f, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(f, e.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// checkpoint is a PyTorch file of a pickle and one storage "0" of six float32.
func checkpoint(t testing.TB, pickle string) []byte {
	return archiveOf(t, entry{name: "x/data.pkl", data: pickle}, entry{name: "x/byteorder", data: "little"},
		entry{name: "x/data/0", data: string(Float32Tensor([]float32{0, 1, 2, 3, 4, 5}).Data)})
}

func TestTorchPickleHostile(t *testing.T) {
	const marks, lists = maxMarks + 1, maxInstructions + 1
	float := storage("FloatStorage", "0", 6)
	cyclicList := "]q\x00h\x00a" // a list that holds itself
	ordered := global("collections", "OrderedDict") + ")R"
	for name, c := range map[string]struct{ pickle, want string }{
		// Programs.
		"object alone":        {"\x80\x02" + global("foreign", "Class") + ")\x81.", "an object of the class foreign.Class"},
		"list of the machine": {"\x80\x02" + global("builtins", "list") + ")R.", "an object of the class builtins.list"},
		"class by two texts":  {dict("a", text("os")+text("system")+"\x93"), "0x93"},
		"instance":            {dict("a", "(ios\nsystem\n"), "0x69"},
		"object":              {dict("a", "("+global("torch", "Size")+"o"), "0x6f"},
		"extension":           {dict("a", "\x82\x01"), "0x82"},
		"name of a storage":   {dict("a", "P1\n"), "0x50"},
		"buffer":              {dict("a", "\x97"), "0x97"},
		"instruction 0xff":    {dict("a", "\xff"), "0xff"},
		"long class name":     {dict("a", "c"+strings.Repeat("a", 1<<16)+"\nb\n"), "does not name a class"},
		"class without name":  {"\x80\x02ctorch", "does not name a class"},
		// Claims.
		"text of 4 GiB":         {"\x80\x02X\xff\xff\xff\xff", "claims"},
		"bytes of 4 GiB":        {"\x80\x02B\xff\xff\xff\xff", "claims"},
		"string of 2 GiB":       {"\x80\x02T\xff\xff\xff\x7f", "claims"},
		"short string":          {"\x80\x02U\x05ab", "claims"},
		"text of 2^60":          {"\x80\x04\x8d\x00\x00\x00\x00\x00\x00\x00\x10", "0x8d at byte 2"},
		"frame of 2^60":         {"\x80\x02\x95\x00\x00\x00\x00\x00\x00\x00\x10", "0x95"},
		"byte array of 2^60":    {"\x80\x02\x96\x00\x00\x00\x00\x00\x00\x00\x10", "0x96"},
		"number of 2 GiB":       {"\x80\x02\x8b\xff\xff\xff\x7f", "0x8b"},
		"number of no bytes":    {dict("a", "\x8a\x00"), "a number of 0 bytes"},
		"marks":                 {"\x80\x02" + strings.Repeat("(", marks) + ".", "nests more than 64"},
		"instructions":          {"\x80\x02" + strings.Repeat("}", lists) + ".", "more than 200000 instructions"},
		"pickle over the limit": {"\x80\x02" + strings.Repeat("N", maxPickle) + ".", fmt.Sprint("at most ", maxPickle)},
		"no end":                {"\x80\x02}", "without the instruction to stop"},
		"bytes after the end":   {"\x80\x02}.}", "1 bytes follow"},
		"argument past the end": {"\x80\x02G\x00", "ends in its argument"},
		"empty":                 {"", "without the instruction to stop"},
		"protocol 6":            {"\x80\x06}.", "protocol 6"},
		// Structures that trip a careless reader.
		"empty stack":            {"\x80\x02.", "stack"},
		"no mark":                {"\x80\x02t.", "stack"},
		"odd dict":               {"\x80\x02}(K\x01u.", "malformed"},
		"key that has no hash":   {"\x80\x02" + ordered + "C\x01aNs.", "malformed"},
		"cyclic list is called":  {"\x80\x02" + cyclicList + "K\x01K\x02\x86R.", "invalid arguments"},
		"cyclic list is a class": {"\x80\x02" + cyclicList + ")\x81.", "PyNewable"},
		"cyclic list in a call": {"\x80\x02" + global("collections", "OrderedDict") + tuple(cyclicList) + "R.",
			"not made of pairs"},
		"large dict is a class":  {"\x80\x02}(" + strings.Repeat("K\x01K\x02", 2000) + "u)\x81.", "PyNewable"},
		"cyclic list as a shape": {dict("a", tensor(float, 0, tuple(cyclicList), numbers(1))), "axis 0"},
		"cyclic list in a dict":  {dict("a", tensor(float, 0, cyclicList, numbers(1))), "not a tuple"},
		"dict in itself":         {"\x80\x02}q\x00" + text("a") + "h\x00s.", "holds itself"},
		"deep dicts": {"\x80\x02}" + strings.Repeat(text("a")+"}", 40) + strings.Repeat("s", 40) + ".",
			"nest more than 16"},
		"key twice":              {"\x80\x02}" + text("a") + "Ns" + text("a") + "Ns.", `"a" occurs twice`},
		"key as text and number": {"\x80\x02}" + text("1") + "NsK\x01Ns.", `"1" occurs twice`},
		"a number alone":         {"\x80\x02K\x01.", "neither a dict nor a tensor"},
		"state on a tensor":      {dict("a", tensor(float, 0, numbers(2), numbers(1))+"}"+text("x")+"Nsb"), "BUILD"},
		// Storages.
		"storage is missing": {dict("a", storage("FloatStorage", "9", 6)), `storage "9" has no entry`},
		"storage outside":    {dict("a", storage("FloatStorage", "../data.pkl", 6)), "has no entry"},
		"storage claims more": {dict("a", storage("FloatStorage", "0", 7)),
			"claims 7 elements of 4 bytes, its entry has 24"},
		"storage claims less":     {dict("a", storage("FloatStorage", "0", 5)), "claims 5 elements"},
		"storage of another type": {dict("a", storage("DoubleStorage", "0", 6)), "claims 6 elements of 8 bytes"},
		"storage of -1":           {dict("a", storage("FloatStorage", "0", -1)), "claims -1 elements"},
		"storage of 2^62":         {dict("a", storage("FloatStorage", "0", 1<<62)), "claims 4611686018427387904 elements"},
		"storage wraps":           {dict("a", storage("FloatStorage", "0", 1<<62+6)), "claims"},
		"storage without a class": {dict("a", tuple(text("storage"), "N", text("0"), text("cpu"), number(6))+"Q"),
			"malformed"},
		"storage id is a text":     {dict("a", text("storage")+"Q"), "persistent id"},
		"storage id is short":      {dict("a", tuple(text("storage"))+"Q"), "persistent id"},
		"storage id is other":      {dict("a", tuple("C\x01a", "N", "N", "N", "N")+"Q"), "persistent id"},
		"tensor without a storage": {dict("a", tensor("N", 0, numbers(6), numbers(1))), "no storage"},
		"tensor of three": {dict("a", global("torch._utils", "_rebuild_tensor_v2")+"K\x01K\x02K\x03\x87R"),
			"3 arguments"},
		"wrapper of nothing": {dict("a", global("torch._utils", "_rebuild_parameter")+")R"), "wraps nothing"},
		// Views.
		"offset past the end":  {dict("a", tensor(float, 6, numbers(1), numbers(1))), "begins outside"},
		"negative offset":      {dict("a", tensor(float, -1, numbers(1), numbers(1))), "begins outside"},
		"offset of 2^62":       {dict("a", tensor(float, 1<<62, numbers(1), numbers(1))), "begins outside"},
		"end past the storage": {dict("a", tensor(float, 1, numbers(6), numbers(1))), "ends outside"},
		"stride past the end":  {dict("a", tensor(float, 0, numbers(2, 2), numbers(5, 1))), "ends outside"},
		"stride of 2^31-1":     {dict("a", tensor(float, 0, numbers(2), numbers(maxDim))), "ends outside"},
		"stride of 2^62":       {dict("a", tensor(float, 0, numbers(2), numbers(1<<62))), "axis 0 is not a number from 0"},
		"negative stride":      {dict("a", tensor(float, 5, numbers(6), numbers(-1))), "axis 0 is not a number from 0"},
		"negative axis":        {dict("a", tensor(float, 0, numbers(-6), numbers(1))), "axis 0 is not a number from 0"},
		"expanded":             {dict("a", tensor(float, 0, numbers(1<<30), numbers(0))), "more elements than its storage"},
		"shape overflows": {dict("a", tensor(float, 0, numbers(1<<30, 1<<30, 1<<30), numbers(0, 0, 0))),
			"more elements than its storage"},
		"17 axes": {dict("a", tensor(float, 0, numbers(make([]int, 17)...), numbers(make([]int, 17)...))),
			"17 axes"},
		"fewer strides":    {dict("a", tensor(float, 0, numbers(2, 3), numbers(1))), "differ in length"},
		"shape of texts":   {dict("a", tensor(float, 0, tuple(text("2")), numbers(1))), "axis 0"},
		"shape is missing": {dict("a", tensor(float, 0, "N", numbers(1))), "not a tuple"},
	} {
		t.Run(name, func(t *testing.T) {
			data := checkpoint(t, c.pickle)
			refuse(t, "bad.pt", len(data), func() error { _, err := ParseTorch("bad.pt", data); return err }, c.want)
		})
	}
}

// What would act on a machine in Python is passed over as any other object is, and is named. Nothing is executed.
func TestTorchPickleActs(t *testing.T) {
	x := tensor(storage("FloatStorage", "0", 6), 0, numbers(6), numbers(1))
	for class, of := range map[string]string{
		"os.system": global("os", "system"), "posix.system": global("posix", "system"),
		"builtins.eval": global("builtins", "eval"), "__builtin__.eval": global("__builtin__", "eval"),
		"subprocess.Popen": global("subprocess", "Popen"), "nt.system": stackGlobal("nt", "system"),
		"builtins.exec": short("builtins") + "\x94" + short("exec") + "\x93",
	} {
		protocol := "\x80\x02"
		if strings.Contains(of, "\x93") {
			protocol = "\x80\x04"
		}
		f, err := ParseTorch("f", checkpoint(t, protocol+"}("+text("x")+x+text("a")+of+tuple(text("touch EXECUTED"))+"Ru."))
		if err != nil {
			t.Errorf("%s: %v", class, err)
			continue
		}
		if got, err := f.Tensor("x"); err != nil || len(got.Data) != 24 {
			t.Errorf("%s: %v, %v", class, got, err)
		}
		if _, err := f.Tensor("a"); err == nil || !strings.Contains(err.Error(), "object of the class "+class) {
			t.Errorf("%s: %v", class, err)
		}
		if !slices.Equal(f.Acting(), []string{class}) {
			t.Errorf("%s: acting %q", class, f.Acting())
		}
	}
	if _, err := os.Stat("EXECUTED"); err == nil {
		t.Error("a pickle was executed")
	}
}

// Objects of other classes are passed over, whatever is done with them, and so are entries without a name.
func TestTorchPickleForeign(t *testing.T) {
	x := tensor(storage("FloatStorage", "0", 6), 0, numbers(6), numbers(1))
	plain := strings.TrimSuffix(x, "NtR") + "N}" + text("neg") + "\x89stR"
	if f, err := ParseTorch("f", checkpoint(t, dict("x", plain))); err != nil || !slices.Equal(f.Keys(), []string{"x"}) {
		t.Errorf("a view with metadata: %v", err)
	} else if _, err := f.Tensor("x"); err != nil {
		t.Errorf("a view that is not negated: %v", err)
	}
	for name, value := range map[string]string{
		"called":             global("numpy.core.multiarray", "scalar") + tuple(text("x")) + "R",
		"called again":       global("a", "b") + ")R)R",
		"made, with a state": global("history", "HistoryBuffer") + ")\x81}" + text("x") + "]sb",
		"state of two":       global("a", "b") + ")\x81N}" + text("slot") + "Ns\x86b",
		"state of a text":    global("a", "b") + ")\x81" + text("x") + "b",
		"appended to":        global("collections", "deque") + ")R" + "(K\x01K\x02e",
		"appended one":       global("a", "b") + ")RNa",
		"machine's array":    global("array", "_array_reconstructor") + ")R",
		"machine's object": global("copy_reg", "_reconstructor") + tuple(global("a", "b"), global("__builtin__", "object"),
			"N") + "R",
		"machine's list":    global("builtins", "list") + "(NNtR",
		"large number":      "\x8a\xc8" + strings.Repeat("\xff", 200),
		"its storage":       tensor(storage("QInt8Storage", "0", 6), 0, numbers(6), numbers(1)),
		"a negated view":    strings.TrimSuffix(x, "NtR") + "N}" + text("neg") + "\x88stR", // elements have the other sign
		"left on the stack": "(NN1N0N",
	} {
		f, err := ParseTorch("f", checkpoint(t, "\x80\x02}("+text("x")+x+text("other")+value+")Nu."))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := f.Tensor("x"); err != nil || len(got.Data) != 24 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if _, err := f.Tensor("other"); err == nil {
			t.Errorf("%s is a tensor", name)
		}
	}
	f,
		err := ParseTorch("f",
		checkpoint(t, dict("a", global("mmengine", "ConfigDict")+")\x81("+text("x")+x+text("y")+"K\x01u}b")))
	if err != nil {
		t.Fatal(err)
	}
	a, ok := f.Section("a")
	if !ok {
		t.Fatal("a dict of another class is none")
	}
	if got, err := a.Tensor("x"); err != nil || len(got.Data) != 24 {
		t.Errorf("%v, %v", got, err)
	}
}

// extras.pt is what PyTorch writes of two tensors among objects of all kinds (testdata/make_extras.py).
func TestReadTorchExtras(t *testing.T) {
	f := openTorch(t, "extras.pt")
	weights, ok := f.Section("weights")
	if !ok {
		t.Fatal(f.Keys())
	}
	w, err := weights.Weights("")
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, w, &Weights{Tensors: map[string]Tensor{
		"a": Float32Tensor([]float32{0, 1, 2, 3, 4, 5}, 2, 3), "b": Float32Tensor([]float32{5, 6}, 2),
	}})
	if w, err = f.Weights(""); err != nil || w.Tensors["3"].Elements() != 1 ||
		w.Others["state"] != "an object of the class history.State" {
		t.Errorf("%v, %v", w, err)
	}
	want := Shapes{"3": {}, "torch": {5056}, "state": {2}}
	if err := w.Check(want); err == nil || !strings.Contains(err.Error(),
		`"state" is an object of the class history.State; expected a tensor`) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Tensor("layer"); err == nil || !strings.Contains(err.Error(),
		`"layer" is an object of the class torch.nn.modules.linear.Linear`) {
		t.Errorf("got %v", err)
	}
}

// A dict that is reached again and again is built once: a small pickle does not unfold into a large tree.
func TestTorchPickleSharedDicts(t *testing.T) {
	var p strings.Builder
	p.WriteString("\x80\x02}q\x00")
	for level := range 12 { // each dict holds the one before a hundred times: 100^12 paths
		p.WriteString("}(")
		for i := range 100 {
			fmt.Fprintf(&p, "K%ch%c", i, level)
		}
		fmt.Fprintf(&p, "uq%c", level+1)
	}
	p.WriteString(".")
	data := checkpoint(t, p.String())
	cost := allocated(func() {
		if _, err := ParseTorch("shared.pt", data); err != nil {
			t.Error(err)
		}
	})
	if cost > 4<<20 {
		t.Errorf("allocated %d bytes for a file of %d", cost, len(data))
	}
}

// The most that a pickle within the limits can make the machine allocate.
func TestTorchPickleWorstCase(t *testing.T) {
	instructionsOf := map[string]int{"dicts": 1, "lists": 1, "tuples": 2, "ordered dicts": 3, "texts": 1, "memo": 1}
	for name, unit := range map[string]string{
		"dicts": "}", "lists": "]", "tuples": "(t", "ordered dicts": "h\x00)R", "texts": text(strings.Repeat("a", 15)),
		"memo": "r\x00\x00\x00\x00",
	} {
		var p strings.Builder
		p.WriteString("\x80\x02" + global("collections", "OrderedDict") + "q\x00")
		for n := 0; n < (maxInstructions-8)/instructionsOf[name] && p.Len() < maxPickle-64; n++ {
			if name == "memo" {
				unit = "r" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
			}
			p.WriteString(unit)
		}
		data := checkpoint(t, p.String()+".")
		cost := allocated(func() { ParseTorch("large.pt", data) })
		t.Logf("%s: %d bytes for a file of %d", name, cost, len(data))
		if cost > 64<<20 {
			t.Errorf("%s: allocated %d bytes for a file of %d", name, cost, len(data))
		}
	}
}
