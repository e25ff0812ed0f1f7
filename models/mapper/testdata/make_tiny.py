"""Writes tiny.safetensors: the mapper and its baseline in PyTorch at odd widths, trained for 20 steps, in float64.

Made with torch 2.15.0 and safetensors on a CPU. Layers and equations 8 and 10 are those of the paper (AI Illustrator,
ACM MM 2022) and its release; BatchNorm, PReLU, Adam and the cosine schedule are torch's own. float64, because the bias
before a BatchNorm has no gradient but rounding, which Adam would blow up to whole steps in float32.
"""
import torch
from torch import nn
from safetensors.torch import save_file

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
E, Z, WIDTH, BLOCKS, LAYERS, BATCH, STEPS = 24, 40, 32, 2, 3, 8, 20


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
        self.rrdb_blocks = nn.ModuleList(nn.Sequential(Dense(), nn.Dropout(0.0)) for _ in range(BLOCKS))
        self.tail = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, Z))

    def forward(self, x):
        x = self.head(x)
        for block in self.rrdb_blocks:
            x = block(x) + x
        return self.tail(x)


class Baseline(nn.Module):
    def __init__(self, layers):
        super().__init__()
        widths = [E] + [WIDTH] * (layers - 1) + [Z]
        pairs = [(nn.Linear(i, o), nn.PReLU()) for i, o in zip(widths, widths[1:])]
        self.mlp = nn.Sequential(*[module for pair in pairs for module in pair])

    def forward(self, x):
        return self.mlp(x)


def l1(predicted, z):
    return nn.functional.l1_loss(predicted, z)


def regularization(predicted):
    return (predicted.mean(1).abs() + (predicted.std(1) - 1).abs()).mean()


def state(prefix, net):
    return {prefix + k: v.clone() for k, v in net.state_dict().items() if v.is_floating_point()}


def gradients(prefix, net):
    return {prefix + k: p.grad.clone() for k, p in net.named_parameters()}


embeds, z = torch.randn(STEPS, BATCH, E), torch.randn(STEPS, BATCH, Z)
out = dict(embeds=embeds, z_true=z)

net = Mapper()
out |= state("init.", net)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS, eta_min=1e-5)
history, rates = [], []
for step in range(STEPS):
    predicted = net(embeds[step])
    terms = l1(predicted, z[step]), regularization(predicted)
    total = 0.7 * terms[0] + 0.3 * terms[1]
    optimizer.zero_grad()
    total.backward()
    if step == 0:
        out |= gradients("grad.", net) | dict(z_pred=predicted.detach())
    history.append([t.item() for t in (total, *terms)])
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    schedule.step()
net.eval()
out |= state("final.", net) | dict(losses=torch.tensor(history), rates=torch.tensor(rates), final_eval=net(embeds[0]).detach())

net = Baseline(6)
out |= state("baseline.", net)
predicted = net(embeds[0])
l1(predicted, z[0]).backward()
out |= gradients("baseline_grad.", net) | dict(baseline_z=predicted.detach())

# Adam alone, on sum(c p²)/2: gradients from 1e-11 to 1 show where epsilon stands.
c = torch.logspace(-11, 0, 12)
p = torch.linspace(-1, 1, 12).requires_grad_()
optimizer = torch.optim.Adam([p], lr=0.1)
path = []
for step in range(STEPS):
    optimizer.zero_grad()
    (c * p * p / 2).sum().backward()
    optimizer.step()
    path.append(p.detach().clone())
out |= dict(adam_c=c, adam_path=torch.stack(path))

save_file({k: v.detach().contiguous() for k, v in out.items()}, "tiny.safetensors")
