package train

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/internal/fault"
	compiled "illustrator/models/xla/programs"
)

// DeviceCount is a number of devices, or AllDevices.
type DeviceCount int

// AllDevices is "all" in YAML: those that the backend has. On a CPU that is one, which has all cores.
const AllDevices DeviceCount = -1

const allDevices = "all"

// UnmarshalYAML reads a number, or "all".
func (n *DeviceCount) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == allDevices {
		*n = AllDevices
		return nil
	}
	return node.Decode((*int)(n))
}

// MarshalYAML is the way back.
func (n DeviceCount) MarshalYAML() (any, error) {
	if n == AllDevices {
		return allDevices, nil
	}
	return int(n), nil
}

// count returns the number of devices to train on where a backend has have, or an error if they cannot share the
// batches.
func (c Config) count(have int) (int, error) {
	if c.Devices != AllDevices {
		return int(c.Devices), nil
	}
	for _, share := range []struct {
		field string
		rows  int
	}{{"train.batch", c.Batch}, {"train.validation.rows", c.Validation.Rows}} {
		if share.rows%have == 0 {
			continue
		}
		fewer := have
		for c.Batch%fewer != 0 || c.Validation.Rows%fewer != 0 {
			fewer--
		}
		return 0, fault.Usage(fmt.Errorf("%s is %d, which %d devices cannot share evenly", share.field, share.rows, have),
			"set %s to %d, or train.devices to %d", share.field, (share.rows/have+1)*have, fewer)
	}
	return have, nil
}

// devices share the rows of every batch. A nil *devices is one device, which shares nothing.
//
// A program is written for the whole batch and keeps that meaning: XLA gives every device its part of the rows, and
// where the graph sums over the batch (losses, BatchNorm's statistics, gradients) it adds up the parts of all devices.
// So BatchNorm is synchronised. Random numbers are those of one device: dropout draws for the whole batch, and the
// generator's noise is a function of the picture's key. Only the order of sums differs.
//
// Variables are whole on every device. They are read and set as on one device: Value copies from the first device, and
// what SetValue is given goes to all devices before the next step. So mapper.Weights, mapper.Load, an optimizer's Reset
// and the pipeline's programs, which run on the first device, need nothing special.
type devices struct {
	mesh        *distributed.DeviceMesh
	rows, whole *distributed.ShardingSpec // of inputs that are split, and of those that every device has
}

// batchAxis is the name of the mesh's one axis.
const batchAxis = "batch"

// openDevices returns the first count devices of backend, to run programs on the variables of store.
func openDevices(backend compute.Backend, store *model.Store, count int) (*devices, error) {
	if count <= 1 {
		return nil, nil
	}
	if have := backend.NumDevices(); have < count {
		return nil, fault.Usage(fmt.Errorf("train.devices is %d; %s has %d", count, backend.Name(), have),
			"set train.devices to at most %d", have)
	}
	mesh, err := distributed.NewDeviceMesh([]int{count}, []string{batchAxis})
	if err != nil {
		return nil, err
	}
	rows, err := distributed.BuildSpec(mesh).S(batchAxis).Done()
	if err != nil {
		return nil, err
	}
	return &devices{mesh: mesh, rows: rows, whole: distributed.NewReplicatedShardingSpec(mesh)}, leave(store)
}

// leave takes the variables of store off the devices that an earlier training used: a variable stays with its devices.
func leave(store *model.Store) error {
	for v := range store.IterVariables() {
		if v.ShardingSpec() == nil {
			continue
		}
		if v.HasValue() {
			value, err := v.Value()
			if err != nil {
				return err
			}
			if err := v.SetValuePreservingOld(value); err != nil {
				return err
			}
		}
		if err := v.SetShardingSpec(nil); err != nil {
			return err
		}
	}
	return nil
}

// rowInputs is the number of a program's first inputs that have a row for each pair: z, image embeddings and noise
// keys. The inputs after them are the same for all rows.
const rowInputs = 3

// newExec returns an executor of the graph function build, to be run by exec1. Errors call it by name.
func (d *devices) newExec(name string, backend compute.Backend, store *model.Store,
	build func(scope *model.Scope, inputs []*graph.Node) *graph.Node) (*model.Exec, error) {
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, inputs []*graph.Node) *graph.Node {
		out := build(scope, inputs)
		reuse(store, out.Graph())
		return out
	})
	if err != nil {
		return nil, err
	}
	exec.WithName(name)
	if d == nil {
		return exec, nil
	}
	var specs []*distributed.ShardingSpec
	for range rowInputs {
		specs = append(specs, d.rows)
	}
	return exec.AutoSharding(d.mesh).WithInputShardingSpecs(append(specs, d.whole)...).WithOutputShardingSpecs(d.whole),
		nil
}

// reuse has the variables that the graph g changes keep their place in memory. Executors return their new values before
// everything else, in the store's order.
func reuse(store *model.Store, g *graph.Graph) {
	outputs := map[string]int{}
	for v := range store.IterVariables() {
		if v.ChangedInGraph(g) {
			outputs[v.Path()] = len(outputs)
		}
	}
	compiled.Reuse(g.Name(), outputs)
}

// exec1 runs an executor of newExec once and returns its output. args are tensors; the number of rows must divide by
// that of the devices.
func (d *devices) exec1(exec *model.Exec, args ...any) (*tensors.Tensor, error) {
	if d == nil {
		return exec.Call1(args...)
	}
	shared := make([]any, len(args))
	for i, arg := range args {
		spec := d.rows
		if i >= rowInputs {
			spec = d.whole
		}
		part, err := dtensor.ShardTensor(spec, arg.(*tensors.Tensor))
		if err != nil {
			return nil, fmt.Errorf("share input %d among %d devices: %w", i, d.mesh.NumDevices(), err)
		}
		shared[i] = part
	}
	outputs, err := exec.Call(shared...) // one of each device, all the same
	if err != nil {
		return nil, err
	}
	for _, same := range outputs[1:] {
		same.MustFinalizeAll()
	}
	return outputs[0], nil
}
