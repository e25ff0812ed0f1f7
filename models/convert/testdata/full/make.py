"""Writes published weight files of full size with random values, and what the networks give on fixed inputs.

usage: python models/convert/testdata/full/make.py FOLDER [CASE]...      (default: all cases)

Each case is a folder in FOLDER: the file, or the files of a folder, in the layout of a public release, and expected.safetensors
with inputs and outputs. Outputs are computed in float64 with the values that the file holds. "float32.NAME" is what PyTorch
gives in float32, so that both can be held against float64. Values follow from the case's seed; a case that is there is left.

The generator is written here, straight from Karras et al. 2020, equations 1-3: weights are modulated and demodulated sample by
sample, and an up-convolution is a transposed convolution followed by the filter. CLIP is that of transformers and of open_clip;
the mapper is built of torch.nn. NVIDIA's modules are those of ../make_nvidia.py, which compute "float32" there by NVIDIA's own
conventions. The tokenizer's vocabulary is that of the package open_clip, in the very bytes of the files
vocab.json and merges.txt that go with openai/clip-vit-base-patch32.
"""
import collections, gzip, hashlib, json, math, os, pathlib, shutil, sys, tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

STYLE, LAYERS, LR = 512, 8, 0.01
CHANNELS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}
TEXTS = ["A normal human face.", "an old man with a white beard", "She is a young woman with wavy, blond hair & red lipstick!", "été à 東京 🎉"]


# ---- StyleGAN2 config-f
def fir(dtype=torch.float32):
    k = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=dtype)
    return torch.outer(k, k) / 64 * 4


def generator_weights(size):
    """A generator's tensors under rosinality's names, as StyleGAN2 is initialised, biases and strengths a little off zero."""
    w, randn = collections.OrderedDict(), torch.randn
    for i in range(1, LAYERS + 1):
        w[f"style.{i}.weight"], w[f"style.{i}.bias"] = randn(STYLE, STYLE) / LR, randn(STYLE) * 10
    w["input.input"] = randn(1, CHANNELS[4], 4, 4)

    def modulated(name, inputs, outputs, kernel):
        w[name + ".conv.weight"] = randn(1, outputs, inputs, kernel, kernel)
        w[name + ".conv.modulation.weight"], w[name + ".conv.modulation.bias"] = randn(inputs, STYLE), 1 + randn(inputs) / 10

    def styled(name, inputs, outputs, up):
        modulated(name, inputs, outputs, 3)
        if up:
            w[name + ".conv.blur.kernel"] = fir()
        w[name + ".noise.weight"], w[name + ".activate.bias"] = randn(1) / 10, randn(outputs) / 10

    def to_rgb(name, inputs, up):
        modulated(name, inputs, 3, 1)
        w[name + ".bias"] = randn(1, 3, 1, 1) / 10
        if up:
            w[name + ".upsample.kernel"] = fir()

    styled("conv1", CHANNELS[4], CHANNELS[4], False)
    to_rgb("to_rgb1", CHANNELS[4], False)
    resolutions = [r for r in CHANNELS if 4 < r <= size]
    for i, r in enumerate(resolutions):
        styled(f"convs.{2 * i}", CHANNELS[r // 2], CHANNELS[r], True)
        styled(f"convs.{2 * i + 1}", CHANNELS[r], CHANNELS[r], False)
        to_rgb(f"to_rgbs.{i}", CHANNELS[r], True)
    for i, r in enumerate([4] + [r for r in resolutions for _ in range(2)]):
        w[f"noises.noise_{i}"] = randn(1, 1, r, r)
    return w


def act(x):
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def filtered(x, before, after):
    n, c, h, w = x.shape
    x = F.pad(x, (before, after, before, after)).reshape(n * c, 1, h + before + after, w + before + after)
    x = F.conv2d(x, fir(x.dtype)[None, None])
    return x.reshape(n, c, *x.shape[2:])


def modulated_conv(w, name, x, style, up, demodulate):
    weight = w[name + ".conv.weight"]
    _, _, inputs, kernel, _ = weight.shape
    s = F.linear(style, w[name + ".conv.modulation.weight"] / math.sqrt(STYLE), w[name + ".conv.modulation.bias"])
    weight = weight / math.sqrt(inputs * kernel * kernel) * s[:, None, :, None, None]
    if demodulate:
        weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
    if up:
        return torch.cat([filtered(F.conv_transpose2d(a[None], b.transpose(0, 1), stride=2), 1, 1) for a, b in zip(x, weight)])
    return torch.cat([F.conv2d(a[None], b, padding=kernel // 2) for a, b in zip(x, weight)])


def generate(w, size, z):
    """w and picture of z, with the stored noise."""
    style = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
    for i in range(1, LAYERS + 1):
        style = act(F.linear(style, w[f"style.{i}.weight"] * (LR / math.sqrt(STYLE)), w[f"style.{i}.bias"] * LR))
    noises = 0

    def styled(name, x, up):
        nonlocal noises
        x = modulated_conv(w, name, x, style, up, True) + w[name + ".noise.weight"] * w[f"noises.noise_{noises}"]
        noises += 1
        return act(x + w[name + ".activate.bias"][:, None, None])

    def to_rgb(name, x):
        return modulated_conv(w, name, x, style, False, False) + w[name + ".bias"]

    x = styled("conv1", w["input.input"].expand(len(z), -1, -1, -1), False)
    image = to_rgb("to_rgb1", x)
    for i in range(int(math.log2(size)) - 2):
        x = styled(f"convs.{2 * i + 1}", styled(f"convs.{2 * i}", x, True), False)
        n, c, h, _ = image.shape
        spread = F.pad(image[:, :, :, None, :, None], (0, 1, 0, 0, 0, 1)).reshape(n, c, 2 * h, 2 * h)
        image = filtered(spread, 2, 1) + to_rgb(f"to_rgbs.{i}", x)
    return style, image


def mmgen_name(name):
    for old, new in [("style.", "style_mapping."), ("input.input", "constant_input.input"), ("noises.noise_", "injected_noise_")]:
        if name.startswith(old):
            name = new + name[len(old):]
    name = name.replace(".noise.weight", ".noise_injector.weight")
    name = name.replace(".modulation.weight", ".style_modulation.linear.weight_orig").replace(".modulation.bias", ".style_modulation.bias")
    if name.startswith("style_mapping."):
        return name.replace(".weight", ".linear.weight_orig")
    return name.replace(".conv.weight", ".conv.weight_orig")


def stylegan2(folder, layout, size, batch):
    w = generator_weights(size)
    z = torch.randn(batch, STYLE)
    style32, image32 = generate(w, size, z)
    style, image = generate({k: v.double() for k, v in w.items()}, size, z.double())
    if layout == "mmgen":
        torch.save({"state_dict": {"generator_ema." + mmgen_name(k): v for k, v in w.items()}}, f"{folder}/file.pth")
        image, image32 = image.flip(1), image32.flip(1)  # the file's colours are blue, green, red
    else:
        torch.save({"g_ema": w, "latent_avg": style.mean(0).float()}, f"{folder}/file.pt")
    return {"z": z, "w": style, "image": image, "float32.w": style32, "float32.image": image32}


def slope(w, size, z, direction):
    """The gradient by z of the sum of direction times the picture, a row at a time."""
    rows = []
    for row in z.split(1):
        row = row.clone().requires_grad_(True)
        with torch.enable_grad():
            (generate(w, size, row)[1] * direction).sum().backward()
        rows.append(row.grad)
    return torch.cat(rows)


def gradient(folder, size, batch):
    """The gradient through the generator, and "smooth", that of a generator whose activation has a continuous slope."""
    global act
    w = generator_weights(size)
    z, direction = torch.randn(batch, STYLE), torch.randn(3, size, size) / math.sqrt(3 * size * size)
    torch.save({"g_ema": w, "latent_avg": torch.zeros(STYLE)}, f"{folder}/file.pt")
    out, double = {"z": z, "direction": direction}, {k: v.double() for k, v in w.items()}
    leaky = act
    smooth = lambda x: (0.2 * x + 0.2 * F.softplus(4 * x, threshold=40)) * math.sqrt(2)
    for name, act in ("gradient", leaky), ("smooth", smooth):
        out[name], out["float32." + name] = slope(double, size, z.double(), direction.double()), slope(w, size, z, direction)
    act = leaky
    return out


def nvidia(folder, size, batch):
    """As stylegan2-ada-pytorch pickles it, with the generator before its moving average and clamps that nothing reaches."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    import make_nvidia
    make = lambda: make_nvidia.Generator(STYLE, 0, size, {r: c for r, c in CHANNELS.items() if r <= size}, LAYERS, LR, clamp=256, half=size // 8)
    w, g = generator_weights(size), make().eval().requires_grad_(False)
    z = torch.randn(batch, STYLE)
    style, image = generate({k: v.double() for k, v in w.items()}, size, z.double())

    def set_(to, value):
        assert to.numel() == value.numel()
        to.copy_(value.reshape(to.shape))

    def modulated(module, name):
        set_(module.weight, w[name + ".conv.weight"])
        set_(module.affine.weight, w[name + ".conv.modulation.weight"])
        set_(module.affine.bias, w[name + ".conv.modulation.bias"])

    for i in range(LAYERS):
        fc = getattr(g.mapping, f"fc{i}")
        set_(fc.weight, w[f"style.{i + 1}.weight"]), set_(fc.bias, w[f"style.{i + 1}.bias"])
    set_(g.mapping.w_avg, style.mean(0))
    set_(g.synthesis.b4.const, w["input.input"])
    convs = [("b4.conv1", "conv1")]
    rgbs = [("b4.torgb", "to_rgb1")]
    for i, r in enumerate(r for r in CHANNELS if 4 < r <= size):
        convs += [(f"b{r}.conv0", f"convs.{2 * i}"), (f"b{r}.conv1", f"convs.{2 * i + 1}")]
        rgbs.append((f"b{r}.torgb", f"to_rgbs.{i}"))
    for at, (to, name) in enumerate(convs):
        layer = g.synthesis.get_submodule(to)
        modulated(layer, name)
        set_(layer.bias, w[name + ".activate.bias"])
        set_(layer.noise_strength, w[name + ".noise.weight"]), set_(layer.noise_const, w[f"noises.noise_{at}"])
    for to, name in rgbs:
        layer = g.synthesis.get_submodule(to)
        modulated(layer, name)
        set_(layer.bias, w[name + ".bias"])
    style32 = g.mapping(z)
    image32 = g.synthesis(style32[:, None].expand(-1, g.num_ws, -1))
    make_nvidia.dump(f"{folder}/file.pkl", g, 3, make())  # protocol 3 is that of the published files
    return {"z": z, "w": style, "image": image, "float32.w": style32, "float32.image": image32}


# ---- CLIP
def vocabulary(folder):
    """vocab.json and merges.txt, byte for byte those of openai/clip-vit-base-patch32."""
    import open_clip
    lines = gzip.open(os.path.join(os.path.dirname(open_clip.__file__), "bpe_simple_vocab_16e6.txt.gz")).read().decode().split("\n")
    merges = lines[1 : 49152 - 256 - 2 + 1]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    tokens = symbols + [s + "</w>" for s in symbols] + ["".join(m.split()) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    files = {
        "vocab.json": json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False, separators=(",", ":")),
        "merges.txt": "\n".join(["#version: 0.2 - Trained by `huggingface/tokenizers`"] + merges) + "\n",
    }
    hashes = {"vocab.json": "5047b556ce86ccaf6aa22b3ffccfc52d391ea4accdab9c2f2407da5b742d4363", "merges.txt": "f526393189112391ce6f9795d4695f704121ce452c3aad1f5335cc41337eba85"}
    for name, text in files.items():
        data = text.encode()
        if hashlib.sha256(data).hexdigest() != hashes[name]:
            sys.exit(f"{name}: not the bytes of the published file")
        open(f"{folder}/{name}", "wb").write(data)


def shake(model):
    """Biases and norms begin at 0 and 1: move them off, so that a mix-up shows."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.02)
    return model.eval()


def huggingface(name):
    from transformers import CLIPConfig, CLIPModel
    part = lambda width, layers, heads, **more: dict(hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers, num_attention_heads=heads, **more)
    text, vision, dim = {
        "b32": (part(512, 12, 8), part(768, 12, 12, patch_size=32), 512),
        "l14": (part(768, 12, 12), part(1024, 24, 16, patch_size=14), 768),
    }[name]
    text |= dict(vocab_size=49408, max_position_embeddings=77, bos_token_id=49406, eos_token_id=49407, pad_token_id=49407)
    return shake(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=dim)))


def text_ids(folder):
    from transformers import CLIPTokenizer
    tokenizer = CLIPTokenizer(f"{folder}/vocab.json", f"{folder}/merges.txt")
    return tokenizer(TEXTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids


def zero_padded(ids):
    """As OpenAI's tokenizer pads. What follows the end token counts for nothing, but these models look for the largest id."""
    end = ids.argmax(1, keepdim=True)  # ids of the end token fill the rest: the first of them
    return torch.where(torch.arange(ids.shape[1]) > end, 0, ids)


def open_clip_outputs(model, folder):
    with tempfile.TemporaryDirectory() as t:
        vocabulary(t)
        ids = text_ids(t)
    pixels = torch.randn(2, 3, *model.visual.image_size)

    def embeds(dtype):
        model.to(dtype)
        return model.encode_text(zero_padded(ids), normalize=True), model.encode_image(pixels.to(dtype), normalize=True)

    text, image = embeds(torch.float64)
    text32, image32 = embeds(torch.float32)
    return {"input_ids": ids.int(), "pixel_values": pixels, "text_embeds": text, "image_embeds": image, "float32.text_embeds": text32, "float32.image_embeds": image32}


def clip_openclip(folder, name):
    import open_clip
    from open_clip.push_to_hf_hub import save_for_hf

    class Vocabulary:  # saved in the place of a tokenizer
        save_pretrained = staticmethod(vocabulary)

    model = shake(open_clip.create_model(name, pretrained=None))
    model.visual.image_mean, model.visual.image_std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    out = open_clip_outputs(model, folder)
    save_for_hf(model, Vocabulary, open_clip.get_model_config(name), pathlib.Path(folder), safe_serialization=True)
    return out


def clip_openai(folder, name):
    """OpenAI's files are TorchScript programs with most weights in float16."""
    import open_clip
    half = lambda name: not any(part in name for part in ["ln_", "token_embedding", "positional_embedding", "class_embedding", "logit_scale"])
    model = shake(open_clip.create_model(name, pretrained=None))
    for key, p in model.named_parameters():
        if half(key):
            p.data = p.data.half().float()
    out = open_clip_outputs(model, folder)
    mask = model._buffers.pop("attn_mask")  # a constant in OpenAI's programs
    model.attn_mask = mask
    for key, number in dict(input_resolution=model.visual.image_size[0], context_length=77, vocab_size=49408).items():
        if hasattr(model, key):
            delattr(model, key)
        model.register_buffer(key, torch.tensor(number))
    traced = torch.jit.trace(model, (out["pixel_values"], zero_padded(out["input_ids"].long())), check_trace=False)
    for key, t in list(traced.named_parameters()) + list(traced.named_buffers()):
        if t.is_floating_point() and half(key):
            t.data = t.data.half()
    traced.save(f"{folder}/file.pt")
    shutil.copy(os.path.join(os.path.dirname(open_clip.__file__), "bpe_simple_vocab_16e6.txt.gz"), folder)
    return out


def clip_huggingface(folder, name, extension):
    model = huggingface(name)
    vocabulary(folder)
    ids, pixels = text_ids(folder), torch.randn(2, 3, 224, 224)

    def embeds(dtype):
        out = model.to(dtype)(input_ids=ids, pixel_values=pixels.to(dtype))
        # CLIPModel normalises what it returns.
        return out.text_embeds, out.image_embeds

    if extension == "bin":
        torch.save(model.state_dict(), f"{folder}/pytorch_model.bin")
        model.config.save_pretrained(folder)
    else:
        model.save_pretrained(folder)
    text32, image32 = embeds(torch.float32)
    text, image = embeds(torch.float64)
    return {"input_ids": ids.int(), "pixel_values": pixels, "text_embeds": text, "image_embeds": image, "float32.text_embeds": text32, "float32.image_embeds": image32}


# ---- the released projector
def projector(folder):
    width, blocks, layers = 512, 5, 5

    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.mlp_layers = nn.ModuleList(nn.Sequential(
                nn.Linear(width * (i + 1), width), nn.BatchNorm1d(width), nn.PReLU(),
                nn.Linear(width, width), nn.BatchNorm1d(width), nn.PReLU()) for i in range(layers))

        def forward(self, x):
            features = [x]
            for layer in self.mlp_layers:
                features.append(layer(torch.cat(features, 1)))
            return features[-1]

    class Mapper(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Sequential(nn.Linear(width, width), nn.Linear(width, width))
            self.rrdb_blocks = nn.ModuleList(nn.Sequential(Dense(), nn.Dropout(0.1)) for _ in range(blocks))
            self.tail = nn.Sequential(nn.Linear(width, width), nn.Linear(width, width))

        def forward(self, x):
            x = self.head(x)
            for block in self.rrdb_blocks:
                x = block(x) + x
            return self.tail(x)

    net = Mapper().eval()
    for name, t in net.state_dict().items():
        if name.endswith("running_var"):
            t.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            t.normal_(0, 0.1)
    torch.save(collections.OrderedDict(("module." + k, v) for k, v in net.state_dict().items()), f"{folder}/file.pth")
    embeds = F.normalize(torch.randn(8, width)) * math.sqrt(width)
    z32 = net(embeds)
    return {"image_embeds": embeds, "z": net.double()(embeds.double()), "float32.z": z32}


CASES = {
    "stylegan2-256-mmgen": lambda f: stylegan2(f, "mmgen", 256, 2),
    "stylegan2-256-rosinality": lambda f: stylegan2(f, "rosinality", 256, 2),
    "stylegan2-256-nvidia": lambda f: nvidia(f, 256, 2),
    "stylegan2-256-gradient": lambda f: gradient(f, 256, 4),
    "stylegan2-1024-mmgen": lambda f: stylegan2(f, "mmgen", 1024, 1),
    "stylegan2-1024-rosinality": lambda f: stylegan2(f, "rosinality", 1024, 1),
    "clip-b32-huggingface": lambda f: clip_huggingface(f, "b32", "bin"),
    "clip-l14-huggingface": lambda f: clip_huggingface(f, "l14", "safetensors"),
    "clip-b32-openai": lambda f: clip_openai(f, "ViT-B-32-quickgelu"),
    "clip-l14-openai": lambda f: clip_openai(f, "ViT-L-14-quickgelu"),
    "clip-l14-336-openai": lambda f: clip_openai(f, "ViT-L-14-336-quickgelu"),
    "clip-b32-openclip": lambda f: clip_openclip(f, "ViT-B-32"),
    "projector": projector,
}


def make(root, case):
    folder = os.path.join(root, case)
    if os.path.exists(f"{folder}/expected.safetensors"):
        return
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    torch.manual_seed(int(hashlib.sha256(case.encode()).hexdigest()[:8], 16))
    with torch.no_grad():
        out = CASES[case](folder)
    import transformers
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    tensors = {k: v.float().contiguous() if v.is_floating_point() else v for k, v in out.items()}
    save_file(tensors, f"{folder}/expected.part", metadata=versions | {"texts": json.dumps(TEXTS)})
    os.rename(f"{folder}/expected.part", f"{folder}/expected.safetensors")
    print(case, {k: tuple(v.shape) for k, v in tensors.items()}, flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(CASES):
        sys.exit(f"usage: make.py FOLDER [CASE]...; cases: {' '.join(CASES)}")
    for case in sys.argv[2:] or CASES:
        make(sys.argv[1], case)
