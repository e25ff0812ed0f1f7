package clip

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas

	"illustrator/models/nn"
)

// Mean and Std of CLIP's training pictures, red, green and blue in [0,1] (OpenAI's CLIP, clip/clip.py; image_mean and
// image_std of Hugging Face's preprocessor_config.json).
var (
	Mean = [3]float64{0.48145466, 0.4578275, 0.40821073}
	Std  = [3]float64{0.26862954, 0.26130258, 0.27577711}
)

// Preprocess makes CLIP's input from generated pictures: images [B,3,H,W] in [-1,1], of any size, → [B,3,S,S]. They are
// moved to [0,1] and clamped (the gradient is zero where they are outside), resized by the exact area filter, and
// normalised by Mean and Std, in that order: as the official release samples its pairs. With cfg.Unclamped they are not
// clamped, as in the release's semantic loss. The result has the dtype of images.
func Preprocess(cfg Config, images *Node) *Node {
	images.AssertRank(4)
	images.AssertDims(-1, 3, -1, -1)
	x := MulScalar(OnePlus(images), 0.5)
	if !cfg.Unclamped {
		x = ClipScalar(x, 0, 1)
	}
	x = nn.AreaResize(x, cfg.Vision.ImageSize, cfg.Vision.ImageSize)
	var scale, shift [3]float64 // (x - Mean) / Std as one product and one sum
	for c := range scale {
		scale[c], shift[c] = 1/Std[c], -Mean[c]/Std[c]
	}
	channel := func(v [3]float64) *Node { return Reshape(ConstAsDType(x.Graph(), x.DType(), v[:]), 1, 3, 1, 1) }
	return Add(Mul(x, channel(scale)), channel(shift))
}
