package main

// explained says what the compiled programs showed, and what was done about it.
var explained = []string{
	"Up-convolutions were products of matrices whose parts were added: two kernels that wrote 2.25 times the layer. On devices they " +
		"are now convolutions of a dilated input, which XLA gives to cuDNN as a convolution's gradient.",
	"The matrix that doubles the picture of 1024 pixels was a constant of 2 MiB in the program. It is now computed in the graph.",
	"Outputs take no place of arguments: GoMLX donates the mapper's weights and moments when a program runs, but the program does not say " +
		"which output may take which argument's place. A training step therefore holds both at once.",
	"Transposes: layers are stored as [batch, height, width, channels], as cuDNN takes them. What is transposed are the kernels, once a run.",
	"PyTorch's graph is not beside this: TorchInductor generates its kernels with Triton on a GPU, and none was at hand.",
}
