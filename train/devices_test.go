package train

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/xla"
)

const testDevices = 4

var openFour = sync.OnceValues(func() (compute.Backend, error) { return xla.OpenDevices("cpu", testDevices) })

// fourDevices is an XLA CPU backend of four devices.
func fourDevices(t *testing.T) compute.Backend {
	t.Helper()
	nntest.Backend(t) // skips without a plugin
	backend, err := openFour()
	if err != nil {
		t.Fatal(err)
	}
	if have := backend.NumDevices(); have != testDevices {
		t.Fatalf("%d devices, want %d", have, testDevices)
	}
	return backend
}

// normalPairs are pairs of random numbers.
type normalPairs struct {
	rows      int
	z, embeds []float32
}

func newNormalPairs(rows, zDim, embedDim int) *normalPairs {
	rng := rand.New(rand.NewPCG(5, 6))
	draw := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	return &normalPairs{rows: rows, z: draw(rows * zDim), embeds: draw(rows * embedDim)}
}

func (p *normalPairs) Len() int { return p.rows }

func (p *normalPairs) Read(rows []int, z, imageEmbeds []float32) error {
	zDim, embedDim := len(z)/len(rows), len(imageEmbeds)/len(rows)
	for i, row := range rows {
		copy(z[i*zDim:], p.z[row*zDim:(row+1)*zDim])
		copy(imageEmbeds[i*embedDim:], p.embeds[row*embedDim:(row+1)*embedDim])
	}
	return nil
}

// tinyNetworks opens the tiny domain, whose networks are in dir.
func tinyNetworks(t *testing.T, backend compute.Backend) (n *pipeline.Networks, dir string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	n, err := pipeline.Open(backend, pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		t.Fatal(err)
	}
	return n, dir
}

// sharedTraining is a training with all losses and dropout on the tiny domain.
func sharedTraining(t *testing.T, count int) *Training {
	return &Training{
		Pairs: newNormalPairs(40, pipelinetest.ZDim, pipelinetest.EmbedDim), Seed: 3, Folder: Folder(t.TempDir()),
		Mapper: mapper.Config{
			ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: pipelinetest.EmbedDim, ZDim: pipelinetest.ZDim,
			Width: 16, Blocks: 2, Layers: 2, Dropout: 0.2,
		},
		Config: Config{
			Batch: 8, Devices: DeviceCount(count), Precision: "float32", NoiseMode: "const", Optimizer: torchAdam,
			OnNaN: StopOnNaN, LogEvery: 25,
			Validation: Validation{Every: 100, Rows: 12}, Checkpoint: Checkpoint{Every: 100, Keep: 1},
			Stages: []Stage{{
				Name: "all", Losses: losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
				Schedule: Schedule{Kind: "constant", Steps: 5, LearningRate: 1e-4},
			}},
		},
	}
}

// Five steps with all losses, dropout and the generator's random noise leave the same weights on any number of devices.
// In float64, where rounding is too small for the steps to amplify it to what is measured. On one device they are
// PyTorch's (TestTrainingFollowsPyTorch).
func TestDevicesGiveTheSameWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the training three times, which takes half a minute")
	}
	train := func(count int) map[string][]float64 {
		training := sharedTraining(t, count)
		training.Config.NoiseMode = "random"
		n, dir := tinyNetworks(t, fourDevices(t))
		training.Networks = n
		store := n.Store
		loadFloat64(t, training, dir)
		if err := seedRandom(store, 7); err != nil {
			t.Fatal(err)
		}
		var err error
		if training.devices, err = openDevices(training.Networks.Backend, store, count); err != nil {
			t.Fatal(err)
		}
		step := firstStep(t, training)
		defer step.Finalize()
		rng := rand.New(rand.NewPCG(8, 9))
		draw := func(width int) *tensors.Tensor {
			x := make([]float64, training.Config.Batch*width)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			return tensors.FromFlatDataAndDimensions(x, training.Config.Batch, width)
		}
		for at := range training.Config.Steps() {
			keys := make([]uint64, training.Config.Batch)
			for i := range keys {
				keys[i] = uint64(at*len(keys) + i)
			}
			output, err := training.devices.exec1(step, draw(pipelinetest.ZDim), draw(pipelinetest.EmbedDim),
				tensors.FromValue(keys), tensors.FromScalar(1e-3))
			if err != nil {
				t.Fatalf("%d devices: %v", count, err)
			}
			output.MustFinalizeAll()
		}
		weights, scope := map[string][]float64{}, store.Scope(pipeline.MapperScope)
		for name := range training.Mapper.Shapes() {
			weights[name] = tensors.MustCopyFlatData[float64](scope.GetVariable(name).MustValue())
		}
		return weights
	}
	one := train(1)
	for _, count := range []int{2, testDevices} {
		worst, where := 0.0, ""
		for name, values := range train(count) {
			for i, v := range values {
				if d := math.Abs(v - one[name][i]); !(d <= worst) {
					worst, where = d, name
				}
			}
		}
		t.Logf("%d devices: weights differ by at most %.2g (%s)", count, worst, where)
		if !(worst <= 1e-9) {
			t.Errorf("%d devices: %s differs by %g", count, where, worst)
		}
	}
}

// loadFloat64 loads the networks in dir and a fresh mapper as float64.
func loadFloat64(t *testing.T, training *Training, dir string) {
	t.Helper()
	n := training.Networks
	if err := pipelinetest.LoadFloat64(n.Store, n.Generator, dir); err != nil {
		t.Fatal(err)
	}
	scope, initial := n.Store.Scope(pipeline.MapperScope), mapper.Init(training.Mapper, 1)
	if err := nn.Load(scope, initial, dtypes.Float64, true); err != nil {
		t.Fatal(err)
	}
	for name := range initial.Tensors {
		if mapper.IsBuffer(name) {
			scope.GetVariable(name).SetTrainable(false)
		}
	}
}

// Whole runs on two devices, on two again, on one and on four with the same networks: losses, validation and the saved
// mapper agree, in float32 over few and short steps; the two on two devices to the bit. Between them the pipeline maps
// with the mapper.
func TestRunOnDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles training and validation four times")
	}
	n, _ := tinyNetworks(t, fourDevices(t))
	embeds := newNormalPairs(5, pipelinetest.ZDim, pipelinetest.EmbedDim).embeds
	var want []losses.Values
	var wantZ []float32
	for _, count := range []int{2, 2, 1, testDevices} {
		training := sharedTraining(t, count)
		training.Networks = n
		training.Config.Stages[0].Losses.Semantic = 0 // compiles much sooner, and is tested above
		if err := training.Config.Validate(); err != nil {
			t.Fatal(err)
		}
		var got []losses.Values
		training.Progress = func(_ int, _ Stage, values losses.Values) { got = append(got, values) }
		result, err := training.Run(t.Context())
		if err != nil {
			t.Fatalf("%d devices: %v", count, err)
		}
		got = append(got, result.Best.Losses)
		if err := n.LoadMapper(training.Folder.LastMapper()); err != nil {
			t.Fatal(err)
		}
		z, err := n.MapToZ(t.Context(), embeds)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want, wantZ = got, z
			continue
		}
		if count == 2 && !(slices.Equal(got, want) && slices.Equal(z, wantZ)) {
			t.Error("a second run on two devices gives other bits")
		}
		for i := range want {
			a, b := got[i], want[i]
			if d := math.Abs(a.Total - b.Total); !(d <= 1e-4) {
				t.Errorf("%d devices: loss %d of the run is %g, with two devices %g", count, i, a.Total, b.Total)
			}
		}
		if d := nntest.MaxAbs(t, z, wantZ); d > 1e-3 {
			t.Errorf("%d devices: z of the trained mapper differs by %g", count, d)
		}
	}
}

// BatchNorm normalises by the whole batch: the rows of one device are around -1, those of the other around 1, so that
// each by itself would have another mean and a tenth of the deviation.
func TestDevicesSynchroniseBatchNorm(t *testing.T) {
	const rows, units = 8, 3
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, rows*units)
	for i := range x {
		x[i] = float32(0.1 * rng.NormFloat64())
		if i < len(x)/2 {
			x[i]--
		} else {
			x[i]++
		}
	}
	run := func(count int) (out []float32, store *model.Store) {
		store = model.NewStore()
		for name, value := range map[string]float32{"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1} {
			store.VariableWithValue("bn."+name, slices.Repeat([]float32{value}, units))
		}
		backend := fourDevices(t)
		d, err := openDevices(backend, store, count)
		if err != nil {
			t.Fatal(err)
		}
		exec, err := d.newExec("test", backend, store, func(scope *model.Scope, inputs []*graph.Node) *graph.Node {
			scope.Store().SetTraining(inputs[0].Graph(), true)
			return nn.BatchNorm1d(scope, inputs[0], "bn")
		})
		if err != nil {
			t.Fatal(err)
		}
		defer exec.Finalize()
		output, err := d.exec1(exec, tensors.FromFlatDataAndDimensions(x, rows, units))
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](output), store
	}
	one, oneStore := run(1)
	for _, count := range []int{2, testDevices} {
		got, store := run(count)
		if d := nntest.MaxAbs(t, got, one); d > 1e-6 {
			t.Errorf("%d devices: normalised values differ by %g", count, d)
		}
		for _, name := range []string{"bn.running_mean", "bn.running_var"} {
			read := func(store *model.Store) []float32 {
				return tensors.MustCopyFlatData[float32](store.GetVariable(name).MustValue())
			}
			if d := nntest.MaxAbs(t, read(store), read(oneStore)); d > 1e-6 {
				t.Errorf("%d devices: %s differs by %g", count, name, d)
			}
		}
	}
	if low, high := slices.Min(one), slices.Max(one); math.Abs(float64(low)) > 1.5 || math.Abs(float64(high)) > 1.5 {
		t.Errorf("values from %g to %g: the rows are not two clusters a deviation from the mean, so the test can't fail", low,
			high)
	}
}

// What SetValue gives a variable reaches all devices before the next step, and Value reads what the step made of it.
func TestDevicesReadAndSetVariables(t *testing.T) {
	store := model.NewStore()
	v := store.VariableWithValue("sum", []float32{1, 2})
	backend := fourDevices(t)
	d, err := openDevices(backend, store, testDevices)
	if err != nil {
		t.Fatal(err)
	}
	exec, err := d.newExec("test", backend, store, func(scope *model.Scope, inputs []*graph.Node) *graph.Node {
		sum := graph.Add(v.NodeValue(inputs[0].Graph()), graph.ReduceSum(inputs[0], 0))
		v.SetNodeValue(sum)
		return sum
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	input := tensors.FromFlatDataAndDimensions([]float32{1, 10, 2, 20, 3, 30, 4, 40}, 4, 2)
	for _, step := range []struct{ set, want []float32 }{
		{nil, []float32{11, 102}},
		{nil, []float32{21, 202}},
		{[]float32{0, -100}, []float32{10, 0}},
		{nil, []float32{20, 100}},
	} {
		if step.set != nil {
			if err := v.SetValue(tensors.FromValue(step.set)); err != nil {
				t.Fatal(err)
			}
		}
		output, err := d.exec1(exec, input)
		if err != nil {
			t.Fatal(err)
		}
		if got := tensors.MustCopyFlatData[float32](output); !slices.Equal(got, step.want) {
			t.Errorf("output %v, want %v", got, step.want)
		}
		if got := tensors.MustCopyFlatData[float32](v.MustValue()); !slices.Equal(got, step.want) {
			t.Errorf("variable %v, want %v", got, step.want)
		}
	}
	if _, err := d.exec1(exec, tensors.FromFlatDataAndDimensions(make([]float32, 6), 3, 2)); err == nil {
		t.Error("no error for 3 rows on 4 devices")
	}
}

func TestDevicesAreRefused(t *testing.T) {
	c := sharedTraining(t, 3).Config
	if err := c.Validate(); !fault.IsUsage(err) || !strings.Contains(err.Error(), "train.devices is 3") ||
		!strings.Contains(fault.HintOf(err), "train.batch, 8") {
		t.Errorf("a batch of 8 on 3 devices: %v, hint %q", err, fault.HintOf(err))
	}
	c.Devices, c.Validation.Rows = 4, 10
	if err := c.Validate(); !fault.IsUsage(err) || !strings.Contains(err.Error(), "train.validation.rows is 10") {
		t.Errorf("10 validation rows on 4 devices: %v", err)
	}
	backend := fourDevices(t)
	if _, err := openDevices(backend, model.NewStore(), 8); !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "train.devices is 8") || !strings.Contains(fault.HintOf(err), "at most 4") {
		t.Errorf("8 of 4 devices: %v, hint %q", err, fault.HintOf(err))
	}
}

func TestAllDevices(t *testing.T) {
	var read struct {
		Devices DeviceCount `yaml:"devices"`
	}
	for text, want := range map[string]DeviceCount{"devices: all\n": AllDevices, "devices: 4\n": 4} {
		if err := yaml.Unmarshal([]byte(text), &read); err != nil || read.Devices != want {
			t.Errorf("%q: %d, %v", text, read.Devices, err)
		}
		if written, err := yaml.Marshal(read); err != nil || string(written) != text {
			t.Errorf("%q is written %q, %v", text, written, err)
		}
	}
	if err := yaml.Unmarshal([]byte("devices: some\n"), &read); err == nil {
		t.Error("some is a number of devices")
	}
	c := Config{Batch: 8, Devices: AllDevices, Validation: Validation{Rows: 16}}
	if count, err := c.count(4); count != 4 || err != nil {
		t.Errorf("all of 4: %d, %v", count, err)
	}
	_, err := c.count(3)
	if !fault.IsUsage(err) || err.Error() != "train.batch is 8, which 3 devices cannot share evenly" ||
		fault.HintOf(err) != "set train.batch to 9, or train.devices to 2" {
		t.Errorf("a batch of 8 on 3: %v, hint %q", err, fault.HintOf(err))
	}
	c.Validation.Rows = 10
	if _, err = c.count(4); err == nil || !strings.Contains(err.Error(), "train.validation.rows is 10") ||
		!strings.Contains(fault.HintOf(err), "to 12, or train.devices to 2") {
		t.Errorf("10 validation rows on 4: %v, hint %q", err, fault.HintOf(err))
	}
}
