"""Loads a state dict into the official release's mapper, defined here, and compares what it computes with what PyTorch computes
of the file that it was converted from: python load_projector.py WRITTEN ORIGINAL dense|baseline EMBED Z WIDTH BLOCKS LAYERS.
"""
import sys
from collections import OrderedDict

import torch
from torch import nn


class Dense(nn.Module):
    def __init__(self, width, layers):
        super().__init__()
        self.mlp_layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width * (i + 1), width), nn.BatchNorm1d(width), nn.PReLU(), nn.Linear(width, width), nn.BatchNorm1d(width), nn.PReLU())
            for i in range(layers))

    def forward(self, x):
        parts = [x]
        for layer in self.mlp_layers:
            parts.append(layer(torch.cat(parts, 1)))
        return parts[-1]


class Mapper(nn.Module):
    def __init__(self, embed, z, width, blocks, layers):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(embed, width), nn.Linear(width, width))
        self.rrdb_blocks = nn.ModuleList(nn.Sequential(Dense(width, layers), nn.Dropout(0.1)) for _ in range(blocks))
        self.tail = nn.Sequential(nn.Linear(width, width), nn.Linear(width, z))

    def forward(self, x):
        x = self.head(x)
        for block in self.rrdb_blocks:
            x = block(x) + x
        return self.tail(x)


class Baseline(nn.Module):
    def __init__(self, embed, z, width, layers):
        super().__init__()
        widths = [embed] + [width] * (layers - 1) + [z]
        self.body = nn.Sequential(*(m for i in range(layers) for m in (nn.Linear(widths[i], widths[i + 1]), nn.PReLU())))

    def forward(self, x):
        return self.body(x)


written, original, arch, *sizes = sys.argv[1:]
embed, z, width, blocks, layers = map(int, sizes)
build = (lambda: Mapper(embed, z, width, blocks, layers)) if arch == "dense" else (lambda: Baseline(embed, z, width, layers))
torch.manual_seed(0)
x, out = torch.randn(5, embed), []
for path in written, original:
    state = torch.load(path, weights_only=True)
    net = build().eval()
    assert isinstance(state, OrderedDict), type(state)
    assert list(state) == list(net.state_dict()), (list(state), list(net.state_dict()))
    for name in state:
        if name.endswith("running_var"):  # random here, as trained ones never are
            state[name] = state[name].abs() + 0.1
    net.load_state_dict(state, strict=True)
    out.append(net(x))
assert torch.equal(*out) and out[0].std() > 0, out
