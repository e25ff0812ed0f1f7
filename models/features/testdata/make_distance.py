"""Writes distance.onnx: the narrow LPIPS of models/lpips/testdata/tiny_alex.safetensors, whose pictures and distances are there.

Made with Python 3.11.7, torch 2.15.0, torchvision 0.29.2, lpips 0.1.4, onnx 1.23.2, safetensors 0.8.0, float32 on a CPU.
"""
import os, warnings
import lpips, torch, torchvision
from safetensors.torch import load_file

warnings.filterwarnings("ignore")
here = os.path.dirname(os.path.abspath(__file__))
golden = load_file(f"{here}/../../lpips/testdata/tiny_alex.safetensors")
weights = {k.removeprefix("weights."): v.float() for k, v in golden.items() if k.startswith("weights.")}
net = torchvision.models.alexnet(weights=None)
for i, m in enumerate(net.features):
    if isinstance(m, torch.nn.Conv2d):
        out, within = weights[f"features.{i}.weight"].shape[:2]
        net.features[i] = torch.nn.Conv2d(within, out, m.kernel_size, m.stride, m.padding)
net.features.load_state_dict({k.removeprefix("features."): v for k, v in weights.items() if k.startswith("features.")})
lpips.pn.tv.alexnet = lambda pretrained: net
metric = lpips.LPIPS(net="alex", verbose=False).eval()
for i, linear in enumerate(metric.lins):
    linear.model[1].weight.data = weights[f"lin{i}.model.1.weight"]
with torch.no_grad():
    assert torch.equal(metric(golden["a"], golden["b"]).reshape(3), golden["distance"])
axes = {0: "batch", 2: "height", 3: "width"}
torch.onnx.export(metric, (torch.zeros(2, 3, 40, 33), torch.ones(2, 3, 40, 33)), f"{here}/distance.onnx", dynamo=False, do_constant_folding=False,
                  input_names=["a", "b"], output_names=["distance"], dynamic_axes={"a": axes, "b": axes, "distance": {0: "batch"}})
