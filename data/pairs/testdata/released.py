"""Writes released.pth, pairs in the official release's form, and reads what this toolkit writes: python released.py [FILE].

With torch 2.15.0
"""
import sys

import torch

torch.manual_seed(1)
z, e = torch.randn(5, 3), torch.nn.functional.normalize(torch.randn(5, 4)) * 2  # of length √4
if len(sys.argv) == 1:
    torch.save({"Style_latent": z, "CLIP_latent": e}, "released.pth")
else:
    state = torch.load(sys.argv[1], weights_only=True)
    assert list(state) == ["Style_latent", "CLIP_latent"], list(state)
    assert torch.equal(state["Style_latent"], z) and torch.equal(state["CLIP_latent"], e), state
