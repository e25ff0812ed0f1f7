"""Does a benchmark's work in PyTorch. usage: pytorch.py [--device cpu|cuda] [--count PEAK,BANDWIDTH] MODE THREADS WORK

MODE is eager or compile, a hyphen, and float32, tf32 (on CUDA alone) or bfloat16. WORK is the JSON that the program writes of
its own work: sizes, loss weights and numbers of parameters. Prints a line when ready and answers each line of input with the
seconds that a step took, on CUDA with the most memory that PyTorch has allocated. Weights are random: time does not depend
on them.

With --count nothing is computed: it prints the FLOPs, bytes and number of the operators of one eager step, and the least time
that they take on a device with these FLOP/s and bytes/s.

The generator is the fastest of the usual ways to write it in eager PyTorch: modulation of activations in place of weights,
so that one convolution serves the batch; the filter as a depthwise convolution, which halves the time of the usual one of
single channels; channels last; run-time scales multiplied in beforehand.
"""

import argparse
import functools
import json
import math
import os
import sys
import tempfile
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection


def linear(inputs, outputs, bias=0.0, scale=1.0):
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=scale / math.sqrt(inputs))
    nn.init.constant_(layer.bias, bias)
    return layer


def activate(x):
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4


def fir_filter(x, pad):
    """The filter [1,3,3,1] along both axes, of sum 4: it follows the insertion of zeros."""
    taps = TAPS.to(x.dtype)
    channels = x.shape[1]
    kernel = (taps[:, None] * taps[None, :]).expand(channels, 1, 4, 4)
    return F.conv2d(F.pad(x, pad), kernel, groups=channels)


class ModulatedConv(nn.Module):
    def __init__(self, style, inputs, outputs, size, up=False, demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size) / (size * math.sqrt(inputs)))
        self.modulation = linear(style, inputs, bias=1.0)
        self.register_buffer("power", self.weight.detach().square().sum((2, 3)).T.contiguous())
        self.padding, self.up, self.demodulate = size // 2, up, demodulate

    def forward(self, x, w):
        style = self.modulation(w)
        x = x * style[:, :, None, None]
        if self.up:
            x = fir_filter(F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2), (1, 1, 1, 1))
        else:
            x = F.conv2d(x, self.weight, padding=self.padding)
        if self.demodulate:
            x = x * torch.rsqrt(style.square() @ self.power + 1e-8)[:, :, None, None]
        return x


class StyledConv(nn.Module):
    def __init__(self, style, inputs, outputs, up=False):
        super().__init__()
        self.conv = ModulatedConv(style, inputs, outputs, 3, up)
        self.strength = nn.Parameter(torch.full((1,), 0.1))
        self.bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(self, x, w):
        x = self.conv(x, w)
        noise = torch.randn(x.shape[0], 1, x.shape[2], x.shape[3], device=x.device)
        return activate(x + self.strength * noise + self.bias)


class ToRGB(nn.Module):
    def __init__(self, style, inputs):
        super().__init__()
        self.conv = ModulatedConv(style, inputs, 3, 1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x, w):
        return self.conv(x, w) + self.bias


def upsample(x):
    batch, channels, height, width = x.shape
    spread = F.pad(x[:, :, :, None, :, None], (0, 1, 0, 0, 0, 1)).reshape(batch, channels, 2 * height, 2 * width)
    return fir_filter(spread, (2, 1, 2, 1))


class Generator(nn.Module):
    def __init__(self, config):
        super().__init__()
        style, channels = config["style_dim"], {int(r): c for r, c in config["channels"].items()}
        self.mapping = nn.ModuleList([linear(style, style) for _ in range(config["n_mlp"])])
        width = channels[4]
        self.input = nn.Parameter(torch.randn(1, width, 4, 4))
        self.convs = nn.ModuleList([StyledConv(style, width, width)])
        self.to_rgbs = nn.ModuleList([ToRGB(style, width)])
        resolution, self.stored_noise = 8, 4 * 4
        while resolution <= config["size"]:
            outputs = channels[resolution]
            self.convs += [StyledConv(style, width, outputs, up=True), StyledConv(style, outputs, outputs)]
            self.to_rgbs.append(ToRGB(style, outputs))
            self.stored_noise += 2 * resolution**2
            width, resolution = outputs, 2 * resolution

    def forward(self, z):
        w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.mapping:
            w = activate(layer(w))
        x = self.input.expand(len(z), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.convs[0](x, w)
        rgb = self.to_rgbs[0](x, w)
        for i, to_rgb in enumerate(self.to_rgbs[1:]):
            x = self.convs[2 * i + 2](self.convs[2 * i + 1](x, w), w)
            rgb = upsample(rgb) + to_rgb(x, w)
        return rgb


class DenseBlock(nn.Module):
    def __init__(self, width, layers):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(layers):
            parts = [nn.Linear(width * (i + 1), width), nn.BatchNorm1d(width), nn.PReLU()]
            parts += [nn.Linear(width, width), nn.BatchNorm1d(width), nn.PReLU()]
            self.layers.append(nn.Sequential(*parts))

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return features[-1]


class Mapper(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.head = nn.Sequential(nn.Linear(config["embed_dim"], width), nn.Linear(width, width))
        self.blocks = nn.ModuleList([DenseBlock(width, config["layers"]) for _ in range(config["blocks"])])
        self.dropout = nn.Dropout(config["dropout"])
        self.tail = nn.Sequential(nn.Linear(width, width), nn.Linear(width, config["z_dim"]))

    def forward(self, x):
        x = self.head(x)
        for block in self.blocks:
            x = x + self.dropout(block(x))
        return self.tail(x)


MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]


def preprocess(image, size):
    """Area resize: average pooling where the size divides, otherwise nearest enlargement and average pooling."""
    image = ((image + 1) / 2).clamp(0, 1)
    if image.shape[2] != size:
        times = size // math.gcd(size, image.shape[2])
        image = F.avg_pool2d(F.interpolate(image, scale_factor=times, mode="nearest"), image.shape[2] * times // size)
    return (image - MEAN) / STD


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def make_networks(work):
    generator = Generator(work["generator"]).requires_grad_(False).eval().to(memory_format=torch.channels_last)
    names = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size", "hidden_act"]
    config = CLIPVisionConfig(projection_dim=work["embed_dim"], **{name: work["vision"][name] for name in names})
    vision = CLIPVisionModelWithProjection(config).requires_grad_(False).eval()
    mapper = Mapper(work["mapper"]).train()
    for name, have in [
        ("generator", parameters(generator) + generator.stored_noise),
        ("vision", parameters(vision)),
        ("mapper", parameters(mapper)),
    ]:
        if have != work[name + "_parameters"]:
            sys.exit(f"{name}: {have} parameters here, {work[name + '_parameters']} in what it is compared with")
    return generator, vision, mapper


def make_step(work, mode, device):
    global TAPS, MEAN, STD  # a copy to the device at each use would wait for it
    TAPS, MEAN, STD = TAPS.to(device), MEAN.to(device), STD.to(device)
    generator, vision, mapper = (network.to(device) for network in make_networks(work))
    randn = functools.partial(torch.randn, device=device)
    losses, batch, embed_dim = work["losses"], work["batch"], work["embed_dim"]
    z_dim, size = work["generator"]["style_dim"], work["vision"]["image_size"]

    def frozen(z):
        embeds = vision(pixel_values=preprocess(generator(z), size)).image_embeds
        return F.normalize(embeds.float(), dim=1) * math.sqrt(embed_dim)

    if mode.startswith("compile"):
        frozen = torch.compile(frozen)

    def image_embeds(z):
        with torch.autocast(device if device != "meta" else "cpu", dtype=torch.bfloat16, enabled=mode.endswith("bfloat16")):
            return frozen(z)

    def sampling(z=None):
        with torch.no_grad():
            return image_embeds(randn(batch, z_dim) if z is None else z).cpu()

    adam = work["optimizer"]
    optimizer = torch.optim.Adam(mapper.parameters(), work["learning_rate"], (adam["beta1"], adam["beta2"]), adam["epsilon"])

    def training():
        z, embeds = randn(batch, z_dim), randn(batch, embed_dim)
        predicted = mapper(embeds)
        total = losses["l1"] * F.l1_loss(predicted, z)
        if losses["semantic"]:
            total = total + losses["semantic"] * (1 - F.cosine_similarity(embeds, image_embeds(predicted)).mean())
        if losses["regularization"]:
            deviation = (predicted.mean(1).abs() + (predicted.std(1) - 1).abs()).mean()
            total = total + losses["regularization"] * deviation
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.item()

    def pairs():
        columns = [(z, sampling(z)) for z in randn(batch, z_dim).split(32)]
        z, embeds = (torch.cat(column).cpu().numpy() for column in zip(*columns))
        with tempfile.NamedTemporaryFile() as f:
            numpy.savez(f, z=z, image_embeds=embeds)
            f.flush()
            os.fsync(f.fileno())

    state = os.path.join(tempfile.gettempdir(), "state.pt")

    def checkpoint():
        with open(state, "wb") as f:
            torch.save({"mapper": mapper.state_dict(), "optimizer": optimizer.state_dict()}, f)
            f.flush()
            os.fsync(f.fileno())

    def resume():
        loaded = torch.load(state)
        mapper.load_state_dict(loaded["mapper"])
        optimizer.load_state_dict(loaded["optimizer"])

    if work["task"] in ("checkpoint", "resume"):
        training()  # makes the optimizer's state
        checkpoint()
    return {"training": training, "sampling": sampling, "pairs": pairs, "checkpoint": checkpoint, "resume": resume}[work["task"]]


class Counter(TorchDispatchMode):
    """Counts operators. A view is none. Each operand is read or written once, FLOPs are those of products and convolutions."""

    def __init__(self, peak, bandwidth):
        super().__init__()
        self.peak, self.bandwidth = peak, bandwidth
        self.operators, self.flops, self.bytes, self.seconds = 0, 0, 0, 0.0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        tensors = [t for t in tree_leaves((args, kwargs, out)) if isinstance(t, torch.Tensor)]
        storages = {t.untyped_storage()._cdata: t.numel() * t.element_size() for t in tensors}
        count = flop_registry.get(func._overloadpacket)
        flops = count(*args, **kwargs, out_val=out) if count else 0
        if tensors and not func.is_view and func not in self.FREE:
            self.operators += 1
            self.flops += flops
            self.bytes += sum(storages.values())
            self.seconds += max(flops / self.peak, sum(storages.values()) / self.bandwidth)
        return out

    FREE = {torch.ops.aten.detach.default, torch.ops.aten.empty.memory_format, torch.ops.aten._unsafe_view.default}


def count(work, mode, peak, bandwidth):
    """The counts of the second step: the first one makes the optimizer's state. Tensors have shapes and no values."""
    torch.Tensor.item, torch.Tensor.cpu = lambda tensor: 1.0, lambda tensor: tensor
    with torch.device("meta"):
        step, counter = make_step(work, mode, "meta"), Counter(peak, bandwidth)
        step()
        with counter:
            step()
    return {"torch": torch.__version__, "flops": counter.flops, "bytes": counter.bytes, "operators": counter.operators,
            "bound_seconds": counter.seconds}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=lambda text: [float(number) for number in text.split(",")])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("mode")
    parser.add_argument("threads", type=int)
    parser.add_argument("work", type=json.loads)
    a = parser.parse_args()
    if a.count:
        print(json.dumps(count(a.work, a.mode, *a.count)), flush=True)
        return
    cuda, tf32, work = a.device == "cuda", a.mode.endswith("tf32"), a.work
    if cuda and not torch.cuda.is_available():
        sys.exit("this PyTorch sees no CUDA device")
    if tf32 and not cuda:
        sys.exit("TF32 is of CUDA alone")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True  # shapes never change: the fastest kernels are worth the search
    torch.manual_seed(0)
    torch.set_num_threads(a.threads)
    step, repeat = make_step(work, a.mode, a.device), 1
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        if cuda:
            torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(repeat):
            step()
        if cuda:
            torch.cuda.synchronize()
        answer = {"seconds": (time.perf_counter() - began) / repeat}
        if cuda:
            answer["allocated_bytes"] = torch.cuda.max_memory_allocated()
        print(json.dumps(answer), flush=True)
        repeat = work["repeat"]


main()
