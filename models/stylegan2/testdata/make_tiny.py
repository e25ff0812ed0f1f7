"""Writes tiny.safetensors: a random StyleGAN2 of 16 pixels with unequal channels, in rosinality's names, and its outputs.

Made with torch 2.15.0 and safetensors 0.8.0 on a CPU in float32. Straight from Karras et al. 2020, equations 1-3: weights
are modulated and demodulated sample by sample, and the up-convolution is a transposed convolution followed by the filter.
"""
import json, math, torch, torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(7)
SIZE, STYLE, LAYERS, LR, CHANNELS, BATCH = 16, 12, 3, 0.02, {4: 10, 8: 6, 16: 5}, 3
weights = {}

def new(name, *shape, scale=1.0, mean=0.0):
    weights[name] = torch.randn(*shape) * scale + mean
    return weights[name]

def act(x): return F.leaky_relu(x, 0.2) * math.sqrt(2)

fir = torch.tensor([1.0, 3.0, 3.0, 1.0])
fir = fir[:, None] * fir[None]
fir = fir / fir.sum() * 4

def filtered(x, pad):
    n, c, h, w = x.shape
    x = F.pad(x, (pad[0], pad[1], pad[0], pad[1])).reshape(n * c, 1, h + sum(pad), w + sum(pad))
    x = F.conv2d(x, fir[None, None])
    return x.reshape(n, c, x.shape[2], x.shape[3])

def modulated(name, x, w, out, kernel, up, demodulate):
    n, c = x.shape[:2]
    weight = new(name + ".conv.weight", 1, out, c, kernel, kernel)
    style = F.linear(w, new(name + ".conv.modulation.weight", c, STYLE) / math.sqrt(STYLE), new(name + ".conv.modulation.bias", c, scale=0.1, mean=1.0))
    weight = weight / math.sqrt(c * kernel * kernel) * style[:, None, :, None, None]
    if demodulate:
        weight = weight / torch.sqrt(weight.pow(2).sum((2, 3, 4), keepdim=True) + 1e-8)
    samples = []
    for i in range(n):
        if up:
            samples.append(filtered(F.conv_transpose2d(x[i:i + 1], weight[i].transpose(0, 1), stride=2), (1, 1)))
        else:
            samples.append(F.conv2d(x[i:i + 1], weight[i], padding=kernel // 2))
    return torch.cat(samples)

noises = 0
def styled(name, x, w, out, up):
    global noises
    x = modulated(name, x, w, out, 3, up, True)
    noise = new(f"noises.noise_{noises}", 1, 1, *x.shape[2:]); noises += 1
    return act(x + new(name + ".noise.weight", 1, scale=0.3) * noise + new(name + ".activate.bias", out, scale=0.2)[:, None, None])

def to_rgb(name, x, w, skip):
    y = modulated(name, x, w, 3, 1, False, False) + new(name + ".bias", 1, 3, 1, 1, scale=0.2)
    if skip is None:
        return y
    n, c, h, width = skip.shape
    spread = torch.zeros(n, c, h, 2, width, 2)
    spread[:, :, :, 0, :, 0] = skip
    return y + filtered(spread.reshape(n, c, 2 * h, 2 * width), (2, 1))

z = torch.randn(BATCH, STYLE)
w = z / torch.sqrt(z.pow(2).mean(1, keepdim=True) + 1e-8)
for i in range(1, LAYERS + 1):
    w = act(F.linear(w, new(f"style.{i}.weight", STYLE, STYLE) / LR * LR / math.sqrt(STYLE), new(f"style.{i}.bias", STYLE) * LR))
x = new("input.input", 1, CHANNELS[4], 4, 4).expand(BATCH, -1, -1, -1)
x = styled("conv1", x, w, CHANNELS[4], False)
image = to_rgb("to_rgb1", x, w, None)
i, r = 0, 8
while r <= SIZE:
    x = styled(f"convs.{2 * i}", x, w, CHANNELS[r], True)
    x = styled(f"convs.{2 * i + 1}", x, w, CHANNELS[r], False)
    image = to_rgb(f"to_rgbs.{i}", x, w, image)
    i, r = i + 1, r * 2
for k in weights:  # the mapping network's weights are stored divided by the multiplier
    if k.startswith("style.") and k.endswith(".weight"):
        weights[k] = weights[k] / LR
save_file({**{"weights." + k: v.contiguous() for k, v in weights.items()}, "z": z, "w": w, "image": image}, "tiny.safetensors")
json.dump(dict(model_type="stylegan2", size=SIZE, style_dim=STYLE, n_mlp=LAYERS, lr_mlp=LR, channels={str(k): v for k, v in CHANNELS.items()}, color_order="RGB"), open("tiny_config.json", "w"), indent=1)
