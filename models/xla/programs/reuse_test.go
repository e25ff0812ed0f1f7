package programs

import (
	"strings"
	"testing"
)

// The form of what GoMLX compiles: on one device, and on several.
const (
	single = `module @training_step_0 {
` + "  func.func @main(%arg0: tensor<2x3xf32>, %mapper_w: tensor<3x3xf32>, %mapper_b: tensor<3xf32>, " +
		"%rng: tensor<3xui64>) -> (tensor<3x3xf32>, tensor<3xui64>, tensor<f32>) {" + `
    %0 = "stablehlo.add"(%mapper_w, %mapper_w) : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
`
	sharded = `module @training_step_0 attributes {stablehlo.num_replicas = 1,  stablehlo.num_partitions = 2} {
  sdy.mesh @mesh = <["batch"=2]>
` + `  func.func @main(%arg0: tensor<2x3xf32> { sdy.sharding = #sdy.sharding<@mesh, [{"batch"}, {}]> }, ` +
		`%mapper_w: tensor<3x3xf32> { sdy.sharding = #sdy.sharding<@mesh, [{}, {}]> }) -> ` +
		`(tensor<3x3xf32> { sdy.sharding = #sdy.sharding<@mesh, [{}, {}]> }, tensor<f32>) {
`
)

func TestReuseDeclares(t *testing.T) {
	Reuse("training step#0", map[string]int{"/mapper/w": 0, "mapper/b": 1, "rng": 1})
	Reuse("training step#0", map[string]int{"mapper/w": 0, "mapper/b": 1, "rng": 1, "gone": 7}) // the latest
	got := reuse(single)
	for _, want := range []string{
		"(%arg0: tensor<2x3xf32>, %mapper_w: tensor<3x3xf32> { tf.aliasing_output = 0 : i32 }, ",
		"%mapper_b: tensor<3xf32>, ", // another type than output 1
		"%rng: tensor<3xui64> { tf.aliasing_output = 1 : i32 }) -> (",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(got) != len(single)+2*len(" { tf.aliasing_output = 0 : i32 }") {
		t.Errorf("more has changed:\n%s", got)
	}
	if again := reuse(single); again != single {
		t.Errorf("the next program of the name has the declarations too:\n%s", again)
	}
	Reuse("training step#0", map[string]int{"mapper/w": 0})
	want := "%mapper_w: tensor<3x3xf32> { tf.aliasing_output = 0 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}]> }) "
	if got := reuse(sharded); !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

func TestReuseLeavesOthers(t *testing.T) {
	Reuse("training step#0", map[string]int{"mapper/w": 0})
	for _, other := range []string{
		"", "module @", "\x00bytecode", "module @validation_0 {\n  func.func @main(",
		"module @validation_0 {\n  func.func @main(%mapper_w: tensor<f32>) -> tensor<f32> {\n",
	} {
		if got := reuse(other); got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
	if got := reuse(single[:40]); got != single[:40] { // cut short
		t.Errorf("%q became %q", single[:40], got)
	}
}
