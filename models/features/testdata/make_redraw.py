"""Writes tiny image-to-image networks with random weights, and what onnxruntime makes of a picture with each: redraw-*.onnx and
redraw.safetensors. They are in the forms of AnimeGAN (NHWC, [-1,1], LeakyRelu, bilinear Resize), CartoonGAN (NCHW, BGR,
InstanceNormalization, ConvTranspose; that published has no mean), fast neural style (opset 9, 0 to 255, Pad with attributes,
Upsample; once more for pictures of one size, as published) and white-box CartoonGAN (NCHW, BGR, [-1,1], a U-net with align_corners
Resize to sizes that follow from the picture, and a guided filter of grouped convolutions).

python make_redraw.py, with onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6, safetensors 0.8.0
"""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

rng = np.random.default_rng(6)


class Net:
    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def weight(self, value, dtype=np.float32):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind, inputs, **attributes):
        out = self.name()
        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def conv(self, x, inside, outside, kernel, **attributes):
        w = self.weight(rng.normal(0, (inside * kernel * kernel) ** -0.5, (outside, inside, kernel, kernel)))
        return self.op("Conv", [x, w, self.weight(rng.normal(0, 0.1, outside))], kernel_shape=[kernel, kernel], **attributes)

    def norm(self, x, channels, **attributes):
        inputs = [x, self.weight(rng.normal(1, 0.2, channels)), self.weight(rng.normal(0, 0.2, channels))]
        return self.op("InstanceNormalization", inputs, **attributes)

    def save(self, path, x, y, shape, opset):
        picture = helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)
        out = helper.make_tensor_value_info(y, TensorProto.FLOAT, [None] * 4)
        graph = helper.make_graph(self.nodes, "net", [picture], [out], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def animegan(path):
    n = Net()
    x = n.op("Transpose", ["picture"], perm=[0, 3, 1, 2])
    x = n.op("Pad", [x, n.weight([0, 0, 3, 3, 0, 0, 3, 3], np.int64)], mode="reflect")
    x = n.op("LeakyRelu", [n.norm(n.conv(x, 3, 6, 7, auto_pad="VALID"), 6)], alpha=0.2)
    x = n.conv(x, 6, 8, 3, strides=[2, 2], pads=[0, 0, 1, 1])
    x = n.op("LeakyRelu", [n.norm(x, 8, epsilon=1e-3)])
    x = n.op("Resize", [x, "", n.weight([1, 1, 2, 2])], mode="linear", coordinate_transformation_mode="half_pixel")
    x = n.conv(x, 8, 6, 3, auto_pad="SAME_UPPER", strides=[1, 1])
    x = n.op("Tanh", [n.conv(x, 6, 3, 1, pads=[0, 0, 0, 0])])
    n.save(path, "picture", n.op("Transpose", [x], perm=[0, 2, 3, 1]), [None, None, None, 3], 13)


def cartoongan(path):
    n = Net()
    x = n.op("Pad", ["picture", n.weight([0, 0, 2, 2, 0, 0, 2, 2], np.int64)], mode="reflect")
    x = n.op("Relu", [n.norm(n.conv(x, 3, 5, 5), 5)])
    x = n.conv(x, 5, 8, 3, strides=[2, 2], pads=[1, 1, 1, 1])
    w = n.weight(rng.normal(0, 0.2, (8, 6, 3, 3)))
    x = n.op("ConvTranspose", [x, w, n.weight(rng.normal(0, 0.1, 6))], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    x = n.op("Relu", [n.norm(x, 6)])
    w = n.weight(rng.normal(0, 0.2, (6, 4, 2, 3)))
    x = n.op("ConvTranspose", [x, w], kernel_shape=[2, 3], pads=[0, 1, 1, 1])
    n.save(path, "picture", n.op("Tanh", [n.conv(x, 4, 3, 3, pads=[1, 1, 1, 1])]), [1, 3, None, None], 17)


def faststyle(path):
    n = Net()
    x = n.op("Pad", ["picture"], mode="reflect", pads=[0, 0, 2, 2, 0, 0, 2, 2])
    x = n.op("Relu", [n.norm(n.conv(x, 3, 6, 5), 6)])
    x = n.op("Pad", [x], mode="reflect", pads=[0, 0, 1, 1, 0, 0, 1, 1])
    x = n.op("Relu", [n.norm(n.conv(x, 6, 8, 3, strides=[2, 2]), 8)])
    x = n.op("Upsample", [x, n.weight([1, 1, 2, 2])], mode="nearest")
    x = n.op("Pad", [x], mode="reflect", pads=[0, 0, 1, 1, 0, 0, 1, 1])
    x = n.op("Relu", [n.norm(n.conv(x, 8, 6, 3), 6)])
    x = n.op("Mul", [n.conv(x, 6, 3, 3, pads=[1, 1, 1, 1]), n.weight([60.0])])
    n.save(path, "picture", n.op("Add", [x, n.weight([127.0])]), [1, 3, None, None], 9)


def fixed(path, source, height, width):
    model = onnx.load(source)
    for axis, size in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], (height, width)):
        axis.dim_value = size
    onnx.save(model, path)


def whitebox(path):
    n = Net()
    leaky = lambda x: n.op("LeakyRelu", [x], alpha=0.2)
    side = lambda x, axis: n.op("Gather", [n.op("Shape", [x]), n.weight([axis], np.int64)], axis=0)
    box = n.weight(np.full((3, 1, 3, 3), 1 / 9))
    # Box means, which at the edges are of fewer pixels.
    count = n.op("ConstantOfShape", [n.op("Concat", [n.weight([1, 3], np.int64), side("picture", 2), side("picture", 3)], axis=0)],
                 value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]))
    blur = lambda x: n.op("Conv", [x, box], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=3)
    count = blur(count)
    mean = lambda x: n.op("Div", [blur(x), count])
    first = leaky(n.conv("picture", 3, 6, 7, pads=[3, 3, 3, 3]))
    x = leaky(n.conv(leaky(n.conv(first, 6, 6, 3, strides=[2, 2], pads=[1, 1, 1, 1])), 6, 6, 3, pads=[1, 1, 1, 1]))
    x = n.op("Add", [x, n.conv(x, 6, 6, 3, pads=[1, 1, 1, 1])])
    two = n.weight([2], np.int64)
    sizes = n.op("Concat", [side(x, 0), side(x, 1), n.op("Mul", [side(x, 2), two]), n.op("Mul", [side(x, 3), two])], axis=0)
    x = n.op("Resize", [x, "", "", sizes], mode="linear", coordinate_transformation_mode="align_corners")
    y = n.conv(leaky(n.conv(n.op("Add", [x, first]), 6, 6, 3, pads=[1, 1, 1, 1])), 6, 3, 7, pads=[3, 3, 3, 3])
    mean_x, mean_y = mean("picture"), mean(y)
    covariance = n.op("Sub", [mean(n.op("Mul", ["picture", y])), n.op("Mul", [mean_x, mean_y])])
    variance = n.op("Sub", [mean(n.op("Mul", ["picture", "picture"])), n.op("Mul", [mean_x, mean_x])])
    a = n.op("Div", [covariance, n.op("Add", [variance, n.weight([5e-3])])])
    b = n.op("Sub", [mean_y, n.op("Mul", [a, mean_x])])
    n.save(path, "picture", n.op("Add", [n.op("Mul", [mean(a), "picture"]), mean(b)]), [1, 3, None, None], 13)


def run(path, x):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"picture": x.astype(np.float32)})[0]


picture = rng.uniform(-1, 1, (3, 12, 16)).astype(np.float32)  # RGB in [-1,1]
animegan("redraw-animegan.onnx")
cartoongan("redraw-cartoongan.onnx")
faststyle("redraw-faststyle.onnx")
fixed("redraw-fixed.onnx", "redraw-faststyle.onnx", 12, 16)
whitebox("redraw-whitebox.onnx")
golden = {"picture": picture}
golden["animegan"] = run("redraw-animegan.onnx", picture[None].transpose(0, 2, 3, 1))[0].transpose(2, 0, 1)
mean = np.array([103.939, 116.779, 123.68], np.float32).reshape(3, 1, 1)
golden["cartoongan"] = run("redraw-cartoongan.onnx", (((picture + 1) * 127.5)[::-1] - mean)[None] / 100)[0][::-1]
golden["faststyle"] = run("redraw-faststyle.onnx", ((picture + 1) * 127.5)[None])[0] / 127.5 - 1
golden["fixed"] = run("redraw-fixed.onnx", ((picture + 1) * 127.5)[None])[0] / 127.5 - 1
golden["whitebox"] = run("redraw-whitebox.onnx", picture[::-1][None])[0][::-1]
save_file({k: np.ascontiguousarray(v) for k, v in golden.items()}, "redraw.safetensors")
for name, value in golden.items():
    print(name, value.shape, value.std())
