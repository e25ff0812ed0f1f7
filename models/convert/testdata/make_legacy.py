"""Writes legacy_rosinality.pt and legacy_mmgen.pth: the same dicts in PyTorch's format of before version 1.6, in which the first
published files of both were saved.

usage: python models/convert/testdata/make_legacy.py      (from the root of the repository; made with torch 2.15.0)
"""
import torch

for name in ["rosinality.pt", "mmgen.pth"]:
    content = torch.load(f"models/convert/testdata/{name}", weights_only=False)
    torch.save(content, f"models/convert/testdata/legacy_{name}", _use_new_zipfile_serialization=False)
