"""Writes lorelei.safetensors: logits of the embedded classifier for eight pictures, some of them beyond [-1, 1].

usage: make_golden.py FOLDER PICTURES, with Lorelei's PyTorch files and a safetensors file with a tensor "image"
[8,3,64,64]. Made with torch 2.15.0 and safetensors 0.8.0 on a CPU in float32, from the generator's golden.
"""
import os, sys
sys.path.insert(0, os.path.join(sys.argv[1], "reference"))
os.environ.setdefault("LORELEI", sys.argv[1])
import torch
from classifier import net, classify
from safetensors.torch import load_file, save_file

images = load_file(sys.argv[2])["image"] * 1.1
with torch.no_grad():
    logits = net(images.clamp(-1, 1))
    values = torch.from_numpy(classify(images)).int()
save_file({"logits": logits.contiguous(), "values": values.contiguous()}, "lorelei.safetensors")
