"""Writes optimizers.safetensors: a small mapper trained in PyTorch by each of the optimizer's settings, and learning rates.

Made with torch 2.15.0 and safetensors on a CPU. AdamW, clip_grad_norm_, AveragedModel, BatchNorm and the schedules are
torch's own. float64, because the bias before a BatchNorm has no gradient but rounding, which Adam would blow up to whole
steps in float32.
"""
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

torch.manual_seed(12)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
E, Z, WIDTH, LAYERS, BATCH, STEPS = 7, 10, 8, 2, 6, 15
RATE, LEAST = 3e-3, 1e-5


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        stage = lambda i: [nn.Linear(i, WIDTH), nn.BatchNorm1d(WIDTH), nn.PReLU()]
        self.mlp_layers = nn.ModuleList(nn.Sequential(*stage(WIDTH * (i + 1)), *stage(WIDTH)) for i in range(LAYERS))

    def forward(self, x):
        features = x
        for layer in self.mlp_layers:
            y = layer(features)
            features = torch.cat([features, y], 1)
        return y


class Mapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(E, WIDTH), nn.Linear(WIDTH, WIDTH))
        self.rrdb_blocks = nn.ModuleList([nn.Sequential(Dense(), nn.Dropout(0.0))])
        self.tail = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, Z))

    def forward(self, x):
        x = self.head(x)
        return self.tail(self.rrdb_blocks[0](x) + x)


def state(prefix, net):
    return {prefix + k: v.clone() for k, v in net.state_dict().items() if v.is_floating_point()}


def total(predicted, z):
    regularization = (predicted.mean(1).abs() + (predicted.std(1) - 1).abs()).mean()
    return 0.7 * nn.functional.l1_loss(predicted, z) + 0.3 * regularization


def warmed(optimizer, warmup, steps, least):
    """The first step has rate/warmup, step warmup-1 the whole rate, and the cosine begins at step warmup."""
    rise = LinearLR(optimizer, start_factor=1 / warmup, end_factor=1, total_iters=warmup - 1)
    return SequentialLR(optimizer, [rise, CosineAnnealingLR(optimizer, T_max=steps - warmup, eta_min=least)], milestones=[warmup])


def rates(schedule, optimizer, steps):
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return torch.tensor(out)


initial = Mapper().state_dict()
embeds, z = torch.randn(2 * STEPS, BATCH, E), torch.randn(2 * STEPS, BATCH, Z)
out = dict(embeds=embeds, z_true=z)
out |= {"init." + k: v.clone() for k, v in initial.items() if v.is_floating_point()}

for name, decay, clip, accumulate, ema, warmup in (
    ("adamw", 0.1, 0, 1, 0, 0),
    ("clip", None, 0.5, 1, 0, 0),
    ("accumulate", None, 0, 2, 0, 0),
    ("ema", None, 0, 1, 0.8, 0),
    ("everything", 0.1, 0.5, 2, 0.8, 4),
):
    net = Mapper()
    net.load_state_dict(initial)
    kind = torch.optim.Adam if decay is None else torch.optim.AdamW
    optimizer = kind(net.parameters(), lr=RATE, **({} if decay is None else dict(weight_decay=decay)))
    schedule = warmed(optimizer, warmup, STEPS, LEAST) if warmup else CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=LEAST)
    if ema:
        # The first call of update_parameters copies: the average begins with the weights before the first step.
        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=False)
        average.update_parameters(net)
    history, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        for b in range(accumulate):
            loss = total(net(embeds[step * accumulate + b]), z[step * accumulate + b])
            (loss / accumulate).backward()
            history.append(loss.item())
        norms.append(nn.utils.clip_grad_norm_(net.parameters(), clip or float("inf")).item())
        optimizer.step()
        schedule.step()
        if ema:
            average.update_parameters(net)
    out |= state(name + ".final.", net) | {name + ".losses": torch.tensor(history), name + ".norms": torch.tensor(norms)}
    if ema:
        out |= state(name + ".average.", average.module)

# Rates at every step: with a warm-up, and the release's. Of the latter's 75,000 each ten are summed.
optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=RATE)
out["rates_warmup"] = rates(warmed(optimizer, 7, 100, LEAST), optimizer, 100)
optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-4)
release = rates(CosineAnnealingLR(optimizer, T_max=75_000, eta_min=1e-7), optimizer, 75_000)
out |= dict(rates_release_sums=release.view(-1, 10).sum(1), rates_release_ends=torch.cat([release[:50], release[-50:]]))

# How many of 64 units dropout drops in each of 4,096 rows.
drops = (nn.functional.dropout(torch.ones(4096, 64), 0.1) == 0).sum(1)
out["dropout_counts"] = torch.bincount(drops, minlength=65).double()

save_file({k: v.detach().contiguous() for k, v in out.items()}, "optimizers.safetensors")
for name in ("clip", "everything"):
    print(name, "gradient lengths", out[name + ".norms"].tolist())
