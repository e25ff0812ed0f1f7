"""Writes tiny_alex.safetensors and tiny_vgg.safetensors: narrow networks with random weights, and the distances that the lpips
package computes with them; and ../v0.1, the published linear layers that come with that package.

usage: make_golden.py [--full FOLDER]

With --full the networks have the published width and linear layers: FOLDER/alex.pth and vgg.pth are state dicts in the layout of
torchvision's files, FOLDER/lpips_alex.pth and lpips_vgg.pth those of the whole of lpips.LPIPS, FOLDER/alex.safetensors and
vgg.safetensors the pictures and distances. It is for go test ./models/features -run FullWidth -full FOLDER.

Made with Python 3.11.7, torch 2.15.0, torchvision 0.29.2, lpips 0.1.4, safetensors 0.8.0, float32 on a CPU. Random weights are
rounded to float16, which halves the file and changes nothing else, and scaled so that values keep their size from layer to layer.
"""
import os, sys
import torch, torchvision, lpips
from safetensors.torch import save_file

full = sys.argv[2] if sys.argv[1:2] == ["--full"] else None
here = os.path.dirname(os.path.abspath(__file__))
if full:
    os.makedirs(full, exist_ok=True)
torch.manual_seed(20261124)
real = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16}


def backbone(name, divisor):
    """torchvision's network with its convolutions replaced by narrower ones."""
    net = real[name](weights=None)
    for i, m in enumerate(net.features):
        if isinstance(m, torch.nn.Conv2d):
            net.features[i] = torch.nn.Conv2d(m.in_channels if i == 0 else m.in_channels // divisor, m.out_channels // divisor,
                                              m.kernel_size, m.stride, m.padding)
    with torch.no_grad():
        for k, t in net.features.state_dict().items():
            t.normal_(0, (2 / t[0].numel()) ** 0.5 if k.endswith("weight") else 0.1)
            t.copy_(t.half())
    return net


for name in ["alex", "vgg"]:
    divisor = 1 if full else 16
    net = backbone(name, divisor)
    lpips.pn.tv.alexnet = lpips.pn.tv.vgg16 = lambda pretrained: net
    metric = lpips.LPIPS(net=name, verbose=False)
    linear = {f"lin{i}.model.1.weight": l.model[1].weight.data for i, l in enumerate(metric.lins)}
    if not full:
        os.makedirs(f"{here}/../v0.1", exist_ok=True)
        save_file({k: v.contiguous() for k, v in linear.items()}, f"{here}/../v0.1/{name}.safetensors")
        for i, l in enumerate(metric.lins):
            l.model[1].weight.data = linear[f"lin{i}.model.1.weight"][:, ::divisor].contiguous()
    size = (256, 256) if full else (40, 33)
    a = torch.nn.functional.interpolate(torch.randn(3, 3, 9, 9), size=size, mode="bicubic").clamp(-1, 1)
    b = (a + torch.tensor([0.02, 0.3, 1.0]).reshape(3, 1, 1, 1) * torch.randn(a.shape)).clamp(-1, 1)
    with torch.no_grad():
        distance = metric(a, b).reshape(3)
    print(name, distance.tolist())
    golden = {"a": a.contiguous(), "b": b.contiguous(), "distance": distance.contiguous()}
    state = {f"features.{k}": v for k, v in net.features.state_dict().items()}
    if full:
        save_file(golden, f"{full}/{name}.safetensors")
        torch.save(net.state_dict(), f"{full}/{name}.pth", _use_new_zipfile_serialization=False)
        torch.save(metric.state_dict(), f"{full}/lpips_{name}.pth")
    else:
        linear = {f"lin{i}.model.1.weight": l.model[1].weight.data for i, l in enumerate(metric.lins)}
        golden |= {f"weights.{k}": v.half() for k, v in state.items()} | {f"weights.{k}": v for k, v in linear.items()}
        save_file(golden, f"{here}/tiny_{name}.safetensors")
