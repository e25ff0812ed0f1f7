"""Writes torch-*.onnx, tiny networks of pictures that PyTorch's two exporters write, and torch.safetensors, what onnxruntime makes of
a picture with each. For each network there are: of the TorchScript exporter one for a fixed size, one for any size and one in
half precision; of the exporter over torch.export (dynamo) one for any size, the first of them with its weights in another file.

python make_torch.py, with torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0, numpy 2.4.6, safetensors 0.8.0
"""
import contextlib
import io
import os
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnxruntime.transformers.float16 import convert_float_to_float16
from safetensors.numpy import save_file
from torch import nn

warnings.filterwarnings("ignore")
torch.manual_seed(5)


class Flip(nn.Module):
    def forward(self, x):
        return torch.flip(x, [3]) + torch.flip(x[:, :, ::2], [2]).repeat_interleave(2, 2)


class Multiple(nn.Module):
    """Continues a picture to a multiple of 8 pixels, and cuts it again."""

    def forward(self, x):
        h, w = x.shape[2], x.shape[3]
        y = F.pad(x, (0, (8 - w % 8) % 8, 0, (8 - h % 8) % 8), mode="replicate")
        return F.interpolate(F.avg_pool2d(y, 2), scale_factor=2.0, mode="nearest")[:, :, :h, :w]


class Same(nn.Module):
    """Resizes what a network makes to its input's size."""

    def __init__(self, net, mode="bilinear", align_corners=False):
        super().__init__()
        self.net, self.mode, self.corners = net, mode, align_corners

    def forward(self, x):
        return F.interpolate(self.net(x), size=x.shape[2:], mode=self.mode, align_corners=self.corners)


class Scale(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x):
        return F.interpolate(x, **self.options)


def network(*layers, channels=4):
    return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), *layers, nn.Conv2d(channels, 3, 3, padding=1), nn.Tanh())


down = lambda inside=4, outside=4: nn.Conv2d(inside, outside, 3, stride=2, padding=1)
NETWORKS = {
    "reflect": network(nn.ReflectionPad2d((2, 1, 3, 2)), nn.Conv2d(4, 4, (6, 4)), nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), Flip()),
    "replicate": network(nn.ReplicationPad2d((0, 3, 2, 1)), nn.Conv2d(4, 4, 4), nn.ConstantPad2d((1, 0, 0, 2), 0.3), nn.Conv2d(4, 4, (3, 2)), Multiple()),
    "norms": network(nn.InstanceNorm2d(4, affine=True), nn.LeakyReLU(0.2), down(), nn.InstanceNorm2d(4), nn.PReLU(4), nn.GroupNorm(2, 4),
                     nn.GELU(), nn.BatchNorm2d(4, momentum=0.3), nn.Upsample(scale_factor=2), nn.Hardswish()),
    "upsample": Same(network(down(), nn.Upsample(scale_factor=2), down(), nn.Upsample(scale_factor=2, mode="bilinear"),
                             nn.Upsample(scale_factor=1.5, mode="bilinear", align_corners=True), nn.Upsample(scale_factor=0.7, mode="bicubic"),
                             Scale(scale_factor=1.3, mode="nearest"))),
    "thirds": Same(network(Scale(size=(4, 6), mode="nearest"))),  # 4×6 pixels to 12×16
    "transpose": Same(network(down(4, 6), nn.ConvTranspose2d(6, 6, 3, 2, 1, 1), down(6, 6), nn.ConvTranspose2d(6, 6, 4, 2, 1, groups=3, bias=False),
                              down(6, 4), nn.ConvTranspose2d(4, 4, 2, 3), nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 1, 1)), mode="nearest", align_corners=None),
}


def export(module, x, path, dynamo, any_size, apart):
    options = {"input_names": ["picture"], "output_names": ["drawing"]}
    if dynamo:
        h, w = torch.export.Dim("h", min=6, max=64), torch.export.Dim("w", min=6, max=64)
        options |= {"dynamo": True, "external_data": apart, "dynamic_shapes": ({2: h, 3: w},), "verbose": False}
    else:
        options |= {"dynamo": False, "opset_version": 17, "dynamic_axes": {"picture": {2: "h", 3: "w"}} if any_size else None}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(module, (x,), path, **options)


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.get_inputs()[0]
    x = x.astype(np.float16) if "float16" in wanted.type else x
    return session.run(None, {wanted.name: x})[0][0].astype(np.float32)


def strip(path):
    """Takes out what only people read: it is most of the file."""
    model = onnx.load(path, load_external_data=False)
    for part in [model, *model.graph.node]:
        del part.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)


picture = (torch.rand(1, 3, 12, 16) * 2 - 1).float()
golden = {"picture": picture.numpy()[0]}
for name, module in NETWORKS.items():
    module.eval()
    for kind, dynamo, any_size in [("fixed", False, False), ("any", False, True), ("half", False, True), ("dynamo", True, True)]:
        path = f"torch-{name}-{kind}.onnx"
        export(module, picture, path, dynamo, any_size, apart=name == "reflect")
        if kind == "half":
            onnx.save(convert_float_to_float16(onnx.load(path)), path)
        strip(path)
        golden[f"{name}-{kind}"] = run(path, picture.numpy())
        print(path, os.path.getsize(path), golden[f"{name}-{kind}"].std())
save_file({k: np.ascontiguousarray(v) for k, v in golden.items()}, "torch.safetensors")
