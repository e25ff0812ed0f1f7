"""Writes prior.safetensors: a small prior in PyTorch, its loss with gradients, and z that it samples, in float64.

Made with torch and safetensors on a CPU. Flow matching is that of Lipman et al. 2023 (the straight line of optimal
transport), guidance that of Ho and Salimans 2022, sampling Euler's method. Noise, times and conditions are given.
"""
import math
import os
import torch
from torch import nn
from safetensors.torch import save_file

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
E, Z, WIDTH, BLOCKS, BATCH, FEATURES, STEPS, GUIDANCE = 6, 5, 8, 2, 3, 64, 4, 1.7


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.norm = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.add_module("0", nn.Linear(WIDTH, WIDTH))
        self.add_module("2", nn.Linear(WIDTH, WIDTH))

    def forward(self, h, embed):
        scale, shift = self.modulation(embed).chunk(2, 1)
        y = nn.functional.silu(getattr(self, "0")(self.norm(h) * (1 + scale) + shift))
        return h + getattr(self, "2")(y)


class Prior(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Linear(Z, WIDTH)
        self.time = nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.condition = nn.Linear(E, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.output = nn.Linear(WIDTH, Z)

    def forward(self, x, time, condition):
        angles = time * torch.logspace(0, math.log10(1000), FEATURES // 2)
        embed = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        embed = nn.functional.silu(embed + self.condition(condition))
        h = self.input(x)
        for block in self.blocks:
            h = block(h, embed)
        return self.output(self.norm(h))


prior = Prior()
z, noise, condition = torch.randn(BATCH, Z), torch.randn(BATCH, Z), torch.randn(BATCH, E)
time = torch.rand(BATCH, 1)
x = (1 - time) * noise + time * z
velocity = prior(x, time, condition)
loss = nn.functional.mse_loss(velocity, z - noise)
loss.backward()
out = {"z": z, "noise": noise, "condition": condition, "time": time, "velocity": velocity.detach(), "loss": loss.detach()}
for name, p in prior.named_parameters():
    out["weights." + name] = p.detach()
    out["gradients." + name] = p.grad
with torch.no_grad():
    for name, guidance in {"guided": GUIDANCE, "plain": 1.0}.items():
        sample = noise.clone()
        for i in range(STEPS):
            at = torch.full((BATCH, 1), i / STEPS)
            given, none = prior(sample, at, condition), prior(sample, at, torch.zeros_like(condition))
            sample = sample + (none + guidance * (given - none)) / STEPS
        out[name] = sample
save_file({k: v.contiguous() for k, v in out.items()}, os.path.join(os.path.dirname(__file__), "prior.safetensors"),
          {"torch": torch.__version__})
