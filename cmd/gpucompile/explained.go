package main

// explained lists what the compiled programs showed, and what was done about it.
var explained = []string{
	"Up-convolutions were a product of matrices and a sum of its parts: two kernels, which wrote 2.25 times the " +
		"layer. For devices they are now a convolution of a dilated input, which cuDNN computes as the gradient of a " +
		"strided one. In TF32 at batch 8 on an H100 this lowered the bound of sampling from 3.64 to 3.09 ms at 256 " +
		"pixels and from 11.83 to 9.11 ms at 1024 pixels, and its temporary memory from 846 to 527 MiB and from 3,503 " +
		"to 2,224 MiB.",
	"The matrix that doubles the picture of 1024 pixels was a constant of 2 MiB in the program. It is now computed " +
		"in the graph.",
	"The generator's noise takes 8 kernels at 256 pixels and 11 at 1024: 0.7 and 4.9 % of the bound of sampling in " +
		"TF32 at batch 8.",
	"Transposes: layers are stored as [batch, height, width, channels], as cuDNN takes them, and are not transposed " +
		"when pictures are sampled. The kernels of the convolutions are, in each run.",
	"A training step launches over a thousand kernels, most of them in the mapper, whose layers are small. They read " +
		"and write little, so that the time of their launches, which the bound leaves out, weighs most there.",
	"A training step declares that the mapper's new weights and moments replace the old ones. At 256 pixels in TF32 " +
		"this lowers the plan from 2,834 to 2,803 MiB at batch 8 and from 16,255 to 15,991 MiB at batch 64; on Lorelei " +
		"at batch 8 from 86 to 72 MiB. It is less than the size of the results, 313 MiB at 256 pixels, because " +
		"temporary values had used their place; 102 more copies of weights that are still needed raise the bound at " +
		"batch 8 by 0.8 %.",
}
