"""Writes tiny.safetensors: a narrow FID Inception with random weights, and what torch-fidelity computes with it.

usage: make_golden.py [--full FOLDER]

With --full the network has the published width: FOLDER/inception.pth is a state dict in the published file's layout (and in
PyTorch's format before 1.6, as that is), FOLDER/inception.safetensors the pictures and features. It is for
go test ./models/features -run FullWidth -full FOLDER.

Made with Python 3.11.7, torch 2.15.0, torch-fidelity 0.4.0, safetensors 0.8.0, float32 on a CPU. Weights are rounded to
float16, which halves the file and changes nothing else. They are scaled so that values keep their size from layer to layer.
"""
import os, sys
import torch
import torch_fidelity.feature_extractor_inceptionv3 as fid
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as resize
from safetensors.torch import save_file

full = sys.argv[2] if sys.argv[1:2] == ["--full"] else None
width = 2048 if full else 128
torch.manual_seed(20261124)


init = fid.BasicConv2d.__init__
fid.BasicConv2d.__init__ = lambda self, i, o, **kwargs: init(self, i if i == 3 else i * width // 2048, o * width // 2048, **kwargs)
fid.load_state_dict_from_url = lambda *a, **k: None
fid.FeatureExtractorInceptionV3.load_state_dict = lambda *a, **k: None
net = fid.FeatureExtractorInceptionV3("inception", ["2048"])
with torch.no_grad():
    for name, t in net.state_dict().items():
        if name.endswith("conv.weight"):
            t.normal_(0, (2 / t[0].numel()) ** 0.5)
        elif name.endswith(("bn.weight", "running_var")):
            t.uniform_(0.5, 1.5)
        elif name.endswith(("bn.bias", "running_mean")):
            t.normal_(0, 0.2)
        if t.is_floating_point():
            t.copy_(t.half())

size = (256, 256) if full else (40, 52)
images = (torch.nn.functional.interpolate(torch.randn(3, 3, 9, 9), size=size, mode="bicubic") * 0.6 + 0.1 * torch.randn(3, 3, *size)).contiguous()
bytes_ = ((images.clamp(-1, 1) + 1) * 127.5 + 0.5).floor().to(torch.uint8)
with torch.no_grad():
    features = net(bytes_)[0]
print("features", tuple(features.shape), "mean", features.mean().item(), "deviation", features.std().item())
golden = {"images": images, "features": features.contiguous()}
if full:
    os.makedirs(full, exist_ok=True)
    torch.save(net.state_dict(), f"{full}/inception.pth", _use_new_zipfile_serialization=False)
    save_file(golden, f"{full}/inception.safetensors")
else:
    for name, (a, b), to in [("down", (24, 17), (9, 11)), ("up", (5, 4), (13, 10)), ("mixed", (6, 30), (10, 7))]:
        x = torch.randn(1, 2, a, b)
        golden[f"resize.{name}.from"], golden[f"resize.{name}.to"] = x, resize(x, size=to, align_corners=False).contiguous()
    weights = {f"weights.{k}": v.half() for k, v in net.state_dict().items() if not k.startswith("fc.") and "num_batches" not in k}
    save_file({**golden, **weights}, os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny.safetensors"))
