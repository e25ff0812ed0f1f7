"""Writes float64.safetensors: the training of mapper.safetensors again, in float64.

In float32 the steps after the first are not defined to more than a few per cent: Adam's first steps have the sign of the
gradient, so that rounding decides the step of every parameter whose gradient is about 0. PyTorch 2.15.0 with one thread
instead of two differs from itself by up to 5.6 % in the total loss over the 20 steps. Float64 leaves rounding no part.

usage: make_float64.py FOLDER, with the networks and the PyTorch code of Lorelei (lorelei.py, mapper.py,
stylegan2.py and what they load). Made with torch 2.15.0, transformers 4.57.1.
"""
import math, os, sys
sys.path.insert(0, os.path.join(sys.argv[1], "reference"))
os.environ.setdefault("LORELEI", sys.argv[1])
import torch
import lorelei
from mapper import Mapper, losses
from safetensors.torch import load_file, save_file

golden = load_file("mapper.safetensors")
generator, (clip, _) = lorelei.generator().double(), lorelei.clip()
clip = clip.double()
lorelei.MEAN = torch.tensor([.48145466, .4578275, .40821073], dtype=torch.float64)[:, None, None]
lorelei.STD = torch.tensor([.26862954, .26130258, .27577711], dtype=torch.float64)[:, None, None]
torch.Tensor.float = lambda x: x  # the generator demodulates in float32 otherwise
net = Mapper(128, 128, 128, dropout=0.0)
net.load_state_dict({k[5:]: v for k, v in golden.items() if k.startswith("init.")})
net = net.double().train()
z_true, embeds, steps = golden["z_true"].double(), golden["embeds"].double(), 20
optimizer, history, slopes = torch.optim.Adam(net.parameters(), 1e-3), [], {}
for step in range(steps):
    for group in optimizer.param_groups:
        group["lr"] = 1e-7 + (1e-3 - 1e-7) * 0.5 * (1 + math.cos(math.pi * step / steps))
    z = net(embeds[step])
    l1, semantic, regularization = losses(z, z_true[step], embeds[step], lorelei.embed_image(clip, generator(z, fixed_noise=True)))
    total = 0.3 * l1 + semantic + 0.3 * regularization
    optimizer.zero_grad()
    total.backward()
    if step == 0:  # single numbers, in which float32 loses most
        slopes = {"grad." + k: p.grad.clone() for k, p in net.named_parameters() if p.numel() == 1}
    optimizer.step()
    history.append([total.item(), l1.item(), semantic.item(), regularization.item()])
final = {"final." + k: v.to(torch.float32).clone() for k, v in net.state_dict().items() if k == "tail.1.weight" or k.endswith("4.0.mlp_layers.4.4.running_var")}
save_file({"losses": torch.tensor(history, dtype=torch.float64), **slopes, **final}, "float64.safetensors")
print(history[0], history[-1])
