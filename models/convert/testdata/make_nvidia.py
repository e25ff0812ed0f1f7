"""Writes NVIDIA's layout of StyleGAN2 as their programs pickle it, at 16 pixels, and its outputs: nvidia*.pkl, nvidia.safetensors.

usage: python models/convert/testdata/make_nvidia.py      (from the root of the repository)

Made with Python 3.11.7, torch 2.15.0, numpy 2.4.6, safetensors 0.8.0 on a CPU in float32. The network is written down from
Karras et al. 2020, equations 1-3, with the names, attributes and conventions of stylegan2-ada-pytorch: weights are modulated and
demodulated sample by sample, an up-convolution is a transposed one followed by the filter. Modules are reduced to a call of
torch_utils.persistence._reconstruct_persistent_obj with their class's name, the text of a program and their attributes, and
option bags are dnnlib.EasyDict: both stand-ins below carry the names alone. full/make.py pickles a generator of full size with it.
"""
import math, pickle, sys, types
import numpy as np, torch, torch.nn.functional as F
from safetensors.torch import save_file

HERE = "models/convert/testdata"


# ---- Stand-ins for what NVIDIA's pickles name.
def stand_in(module, name, value):
    for part in [module.split(".")[0], module]:
        sys.modules.setdefault(part, types.ModuleType(part))
    value.__module__, value.__name__, value.__qualname__ = module, name, name
    setattr(sys.modules[module], name, value)
    return value


reconstruct = stand_in("torch_utils.persistence", "_reconstruct_persistent_obj", lambda meta: None)
EasyDict = stand_in("dnnlib.util", "EasyDict", type("EasyDict", (dict,), {}))
PROGRAM = "import os\nos.system('touch EXECUTED')  # whoever runs this text leaves a file behind\n"


class Persistent(torch.nn.Module):
    def __init__(self, **kwargs):
        super().__init__()
        self._init_args, self._init_kwargs = (), kwargs

    def __reduce__(self):
        return reconstruct, (dict(type="class", version=6, module_src=PROGRAM, class_name=type(self).__name__, state=self.__dict__),)


def fir():
    k = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(k, k) / 64


def filtered(x, before, after):
    n, c, h, w = x.shape
    x = F.pad(x, (before, after, before, after)).reshape(n * c, 1, h + before + after, w + before + after)
    return F.conv2d(x, 4 * fir()[None, None]).reshape(n, c, h + before + after - 3, -1)


class FullyConnectedLayer(Persistent):
    def __init__(self, i, o, activation="linear", rate=1, mean=0.0):
        super().__init__(in_features=i, out_features=o)
        self.activation = activation
        self.weight = torch.nn.Parameter(torch.randn(o, i) / rate)
        self.bias = torch.nn.Parameter(torch.randn(o) * 0.3 + mean)
        self.weight_gain, self.bias_gain = rate / np.sqrt(i), rate

    def forward(self, x):
        y = x @ (self.weight * float(self.weight_gain)).T + self.bias * self.bias_gain
        return F.leaky_relu(y, 0.2) * math.sqrt(2) if self.activation == "lrelu" else y


def modulated(x, weight, style, up, demodulate):
    samples = []
    for i in range(len(x)):
        w = weight * style[i][None, :, None, None]
        if demodulate:
            w = w / torch.sqrt(w.square().sum((1, 2, 3), keepdim=True) + 1e-8)
        if up:
            samples.append(filtered(F.conv_transpose2d(x[i:i + 1], w.transpose(0, 1), stride=2), 1, 1))
        else:
            samples.append(F.conv2d(x[i:i + 1], w, padding=w.shape[2] // 2))
    return torch.cat(samples)


class SynthesisLayer(Persistent):
    def __init__(self, i, o, w_dim, resolution, up, clamp, channels_last):
        super().__init__(in_channels=i, out_channels=o)
        self.resolution, self.up, self.use_noise, self.activation = resolution, up, True, "lrelu"
        self.conv_clamp, self.padding, self.act_gain = clamp, 1, np.sqrt(2)
        self.register_buffer("resample_filter", fir())
        self.affine = FullyConnectedLayer(w_dim, i, mean=1.0)
        weight = torch.randn(o, i, 3, 3)
        self.weight = torch.nn.Parameter(weight.to(memory_format=torch.channels_last) if channels_last else weight)
        self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.noise_strength = torch.nn.Parameter(torch.randn([]) * 0.3)
        self.bias = torch.nn.Parameter(torch.randn(o) * 0.2)

    def forward(self, x, w):
        x = modulated(x, self.weight, self.affine(w), self.up == 2, True) + self.noise_const * self.noise_strength
        x = F.leaky_relu(x + self.bias[:, None, None], 0.2) * math.sqrt(2)
        return x if self.conv_clamp is None else x.clamp(-self.conv_clamp, self.conv_clamp)


class ToRGBLayer(Persistent):
    def __init__(self, i, w_dim, clamp):
        super().__init__(in_channels=i)
        self.conv_clamp, self.weight_gain = clamp, 1 / np.sqrt(i)
        self.affine = FullyConnectedLayer(w_dim, i, mean=1.0)
        self.weight = torch.nn.Parameter(torch.randn(3, i, 1, 1))
        self.bias = torch.nn.Parameter(torch.randn(3) * 0.2)

    def forward(self, x, w):
        x = modulated(x, self.weight, self.affine(w) * float(self.weight_gain), False, False) + self.bias[:, None, None]
        return x if self.conv_clamp is None else x.clamp(-self.conv_clamp, self.conv_clamp)


class SynthesisBlock(Persistent):
    def __init__(self, i, o, w_dim, resolution, last, clamp, half, channels_last):
        super().__init__(in_channels=i, out_channels=o)
        self.in_channels, self.w_dim, self.resolution, self.img_channels, self.is_last = i, w_dim, resolution, 3, last
        self.architecture, self.use_fp16, self.channels_last = "skip", half, channels_last
        self.register_buffer("resample_filter", fir())
        self.num_conv, self.num_torgb = 1 + (i > 0), 1
        if i == 0:
            self.const = torch.nn.Parameter(torch.randn(o, resolution, resolution))
        else:
            self.conv0 = SynthesisLayer(i, o, w_dim, resolution, 2, clamp, channels_last)
        self.conv1 = SynthesisLayer(o, o, w_dim, resolution, 1, clamp, channels_last)
        self.torgb = ToRGBLayer(o, w_dim, clamp)


class SynthesisNetwork(Persistent):
    def __init__(self, w_dim, size, channels, clamp, half):
        super().__init__(img_resolution=size)
        self.w_dim, self.img_resolution, self.img_channels = w_dim, size, 3
        self.block_resolutions = list(channels)
        i = 0
        for r, o in channels.items():
            setattr(self, f"b{r}", SynthesisBlock(i, o, w_dim, r, r == size, clamp, r >= half, r == size))
            i = o

    def forward(self, ws):
        image, at = None, 0
        for r in self.block_resolutions:
            b = getattr(self, f"b{r}")
            if image is None:
                x = b.const[None].expand(len(ws), -1, -1, -1)
            else:
                x, at = b.conv0(x, ws[:, at]), at + 1
                n, c, h, w = image.shape
                spread = torch.zeros(n, c, h, 2, w, 2)
                spread[:, :, :, 0, :, 0] = image
                image = filtered(spread.reshape(n, c, 2 * h, 2 * w), 2, 1)
            x, at = b.conv1(x, ws[:, at]), at + 1
            y = b.torgb(x, ws[:, at])
            image = y if image is None else image + y
        return image


class MappingNetwork(Persistent):
    def __init__(self, z_dim, c_dim, w_dim, num_ws, layers, rate):
        super().__init__(num_layers=layers)
        self.z_dim, self.c_dim, self.w_dim, self.num_ws, self.num_layers, self.w_avg_beta = z_dim, c_dim, w_dim, num_ws, layers, 0.998
        if c_dim:
            self.embed = FullyConnectedLayer(c_dim, w_dim)
        for i in range(layers):
            setattr(self, f"fc{i}", FullyConnectedLayer(z_dim * (2 if c_dim and i == 0 else 1), w_dim, "lrelu", rate))
        self.register_buffer("w_avg", torch.randn(w_dim) * 0.5)

    def forward(self, z):
        x = z / torch.sqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for i in range(self.num_layers):
            x = getattr(self, f"fc{i}")(x)
        return x


class Generator(Persistent):
    def __init__(self, z_dim=12, c_dim=0, size=16, channels={4: 10, 8: 6, 16: 5}, layers=3, rate=0.02, clamp=1.5, half=16):
        super().__init__(z_dim=z_dim, synthesis_kwargs=EasyDict(num_fp16_res=1, conv_clamp=clamp), mapping_kwargs=EasyDict(num_layers=layers))
        self.z_dim, self.c_dim, self.w_dim, self.img_resolution, self.img_channels = z_dim, c_dim, z_dim, size, 3
        self.synthesis = SynthesisNetwork(z_dim, size, channels, clamp, half)
        self.num_ws = 2 * len(channels)
        self.mapping = MappingNetwork(z_dim, c_dim, z_dim, self.num_ws, layers, rate)


class SynthesisInput(Persistent):  # StyleGAN3's names, as many as it is told by
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(2, 2))


def dump(path, g, protocol=None, G=None):
    options = dict(EasyDict(class_name="training.dataset.ImageFolderDataset", resolution=16, max_size=None))
    with open(path, "wb") as f:
        pickle.dump(dict(G=G or SynthesisInput(), D=FullyConnectedLayer(4, 1), G_ema=g, augment_pipe=None, training_set_kwargs=options), f, protocol)


@torch.no_grad()
def outputs(name, g, z):
    w = g.mapping(z)
    broadcast = lambda w: w[:, None].expand(-1, g.num_ws, -1)
    return {f"{name}.w": w, f"{name}.image": g.synthesis(broadcast(w)), f"{name}.truncated": g.synthesis(broadcast(g.mapping.w_avg.lerp(w, 0.7)))}


def main():
    torch.manual_seed(11)
    torch.set_num_threads(1)
    g = Generator().eval().requires_grad_(False)
    dump(f"{HERE}/nvidia.pkl", g)  # protocol 4, the default since Python 3.8
    dump(f"{HERE}/nvidia_protocol3.pkl", g, 3)  # that of Python 3.7, which the published files were made with
    dump(f"{HERE}/nvidia_conditional.pkl", Generator(c_dim=4, layers=1, channels={4: 2, 8: 2}, size=8))

    # A network without clamps and float16, as it is pickled without mixed precision.
    plain = Generator(channels={4: 7, 8: 4}, size=8, layers=2, rate=0.01, clamp=None, half=99).eval().requires_grad_(False)
    dump(f"{HERE}/nvidia_float32.pkl", plain)

    three = Generator(layers=1, channels={4: 2}, size=4)
    three.synthesis = torch.nn.Module.__new__(SynthesisNetwork)
    Persistent.__init__(three.synthesis)
    three.synthesis.L0_36_1024 = FullyConnectedLayer(2, 2)
    three.synthesis.input = SynthesisInput()
    dump(f"{HERE}/nvidia_stylegan3.pkl", three)

    z = torch.randn(3, 12)
    save_file({k: v.contiguous() for k, v in {"z": z, **outputs("nvidia", g, z), **outputs("nvidia_float32", plain, z)}.items()}, f"{HERE}/nvidia.safetensors")


if __name__ == "__main__":
    main()
