"""Writes unclamped.safetensors: the semantic loss of pictures as they are drawn (the official release's) and of clamped
ones, with their gradients by z, through the embedded generator with constant noise and the embedded CLIP, in float64.

usage: make_unclamped.py FOLDER, with the networks and the PyTorch code of Lorelei (lorelei.py, stylegan2.py
and what they load). Made with torch 2.15.0, transformers 5.24.0.
"""
import os, sys
sys.path.insert(0, os.path.join(sys.argv[1], "reference"))
os.environ.setdefault("LORELEI", sys.argv[1])
import torch
import torch.nn.functional as F
import lorelei
from safetensors.torch import load_file, save_file

rows = 2
golden = load_file("mapper.safetensors")
generator, (clip, _) = lorelei.generator().double(), lorelei.clip()
clip = clip.double()
mean = torch.tensor([.48145466, .4578275, .40821073], dtype=torch.float64)[:, None, None]
std = torch.tensor([.26862954, .26130258, .27577711], dtype=torch.float64)[:, None, None]
torch.Tensor.float = lambda x: x  # the generator demodulates in float32 otherwise
z, embeds = golden["z_true"][0, :rows].double(), golden["embeds"][1, :rows].double()
tensors = {"z": z, "embeds": embeds}
for name, bound in {"clamped": lambda x: x.clamp(0, 1), "unclamped": lambda x: x}.items():
    leaf = z.clone().requires_grad_(True)
    pictures = (generator(leaf, fixed_noise=True) + 1) / 2
    predicted = lorelei.get(clip.get_image_features(pixel_values=(bound(pictures) - mean) / std))
    loss = 1 - F.cosine_similarity(predicted, embeds, dim=1).mean()
    loss.backward()
    tensors |= {name: loss.detach()[None], name + "_grad": leaf.grad.clone()}
outside = ((pictures < 0) | (pictures > 1)).double().mean().item()
difference = (tensors["clamped_grad"] - tensors["unclamped_grad"]).norm() / tensors["unclamped_grad"].norm()
print(f"{100 * outside:.1f} % of values out of range; losses {tensors['clamped'].item():.6f}, "
      f"{tensors['unclamped'].item():.6f}; gradients {difference:.3f} apart")
save_file(tensors, "unclamped.safetensors")
