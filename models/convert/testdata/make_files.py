"""Writes the tiny weight files that the tests of checkpoints and models/convert read, with PyTorch.

usage: python models/convert/testdata/make_files.py      (from the root of the repository)

Made with Python 3.11.7, torch 2.15.0, transformers 4.57.1, safetensors 0.8.0. Beside X.pt stands X.safetensors: what must
come out of it, written by the safetensors library. Values are random normal numbers with a fixed seed.
"""
import argparse, collections, json, os, torch, torch.nn as nn
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

LAYOUTS, FILES = "models/convert/testdata", "checkpoints/testdata"
torch.manual_seed(1)
torch.set_num_threads(1)


def write(tensors, path):
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, path)


# ---- StyleGAN2: 16 pixels, another number of channels at each resolution, so that no mix-up fits.
SIZE, STYLE, NMLP, CHANNELS = 16, 5, 3, {4: 4, 8: 3, 16: 2}


def fir():
    k = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(k, k) / 64 * 4


def generator():
    """A generator's tensors as (rosinality's name, mmgen's name, tensor)."""
    out, r = [], torch.randn
    for i in range(1, NMLP + 1):
        out += [(f"style.{i}.weight", f"style_mapping.{i}.linear.weight_orig", r(STYLE, STYLE)), (f"style.{i}.bias", f"style_mapping.{i}.bias", r(STYLE))]
    out.append(("input.input", "constant_input.input", r(1, CHANNELS[4], 4, 4)))

    def modulated(name, i, o, k):
        out.extend([(f"{name}.conv.weight", f"{name}.conv.weight_orig", r(1, o, i, k, k)),
                    (f"{name}.conv.modulation.weight", f"{name}.conv.style_modulation.linear.weight_orig", r(i, STYLE)),
                    (f"{name}.conv.modulation.bias", f"{name}.conv.style_modulation.bias", r(i))])

    def styled(name, i, o, up):
        modulated(name, i, o, 3)
        if up:
            out.append((f"{name}.conv.blur.kernel",) * 2 + (fir(),))
        out.extend([(f"{name}.noise.weight", f"{name}.noise_injector.weight", r(1)), (f"{name}.activate.bias",) * 2 + (r(o),)])

    def to_rgb(name, i, up):
        modulated(name, i, 3, 1)
        out.append((f"{name}.bias",) * 2 + (r(1, 3, 1, 1),))
        if up:
            out.append((f"{name}.upsample.kernel",) * 2 + (fir(),))

    styled("conv1", CHANNELS[4], CHANNELS[4], False)
    to_rgb("to_rgb1", CHANNELS[4], False)
    noises, n, res = [4], 0, 8
    while res <= SIZE:
        styled(f"convs.{2 * n}", CHANNELS[res // 2], CHANNELS[res], True)
        styled(f"convs.{2 * n + 1}", CHANNELS[res], CHANNELS[res], False)
        to_rgb(f"to_rgbs.{n}", CHANNELS[res], True)
        noises, n, res = noises + [res, res], n + 1, res * 2
    out += [(f"noises.noise_{i}", f"injected_noise_{i}", r(1, 1, s, s)) for i, s in enumerate(noises)]
    return out


def expected(g, latent_avg=None):
    t = {name: v for name, _, v in g if not name.endswith(".kernel")}
    return t if latent_avg is None else {**t, "latent_avg": latent_avg}


g, w_mean = generator(), torch.randn(STYLE)
ros = collections.OrderedDict((name, v) for name, _, v in g)
# As a training checkpoint: other networks, the optimizer's state and the script's options lie beside the generator.
adam = torch.optim.Adam([nn.Parameter(torch.randn(2, 3))])
adam.param_groups[0]["params"][0].grad = torch.ones(2, 3)
adam.step()
torch.save({"g": {"other": torch.randn(3)}, "g_ema": ros, "g_optim": adam.state_dict(), "args": argparse.Namespace(lr=0.002, name="tiny"),
            "latent_avg": w_mean, "ada_aug_p": 0.0}, f"{LAYOUTS}/rosinality.pt")
write(expected(g, w_mean), f"{LAYOUTS}/rosinality.safetensors")

half = [(a, b, v.half()) for a, b, v in g]
torch.save({"g_ema": collections.OrderedDict((a, v) for a, _, v in half)}, f"{LAYOUTS}/rosinality_half.pt")
write(expected(half), f"{LAYOUTS}/rosinality_half.safetensors")

wrong = collections.OrderedDict(ros)
wrong["convs.2.conv.blur.kernel"] = torch.full((4, 4), 0.25)
torch.save({"g_ema": wrong}, f"{LAYOUTS}/rosinality_other_filter.pt")

mm = collections.OrderedDict(("generator_ema." + b, v) for _, b, v in g)
mm.update(("generator." + b, torch.randn_like(v)) for _, b, v in g if b.startswith("style_mapping"))
mm["discriminator.convs.0.0.activate.bias"] = torch.randn(2)
torch.save({"meta": {"mmgen_version": "0.1.0", "epoch": 1}, "state_dict": mm}, f"{LAYOUTS}/mmgen.pth")


# ---- The mapper: E, Z and width differ.
def dense_block(width, layers):
    m = nn.Module()
    m.mlp_layers = nn.ModuleList(nn.Sequential(nn.Linear(width * (i + 1), width), nn.BatchNorm1d(width), nn.PReLU(),
                                               nn.Linear(width, width), nn.BatchNorm1d(width), nn.PReLU()) for i in range(layers))
    return m


def randomized(m):
    for t in m.state_dict().values():
        if t.is_floating_point():
            t.normal_()
    return m.state_dict()


E, Z, WIDTH, BLOCKS, LAYERS = 6, 5, 4, 2, 3
net = nn.Module()
net.head = nn.Sequential(nn.Linear(E, WIDTH), nn.Linear(WIDTH, WIDTH))
net.rrdb_blocks = nn.ModuleList(nn.Sequential(dense_block(WIDTH, LAYERS), nn.Dropout(0.1)) for _ in range(BLOCKS))
net.tail = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, Z))
dense = randomized(net)
torch.save(dense, f"{LAYOUTS}/projector.pth")
torch.save(collections.OrderedDict(("module." + k, v) for k, v in dense.items()), f"{LAYOUTS}/projector_module.pth")
write({k: v for k, v in dense.items() if "num_batches" not in k}, f"{LAYOUTS}/projector.safetensors")

plain = nn.Module()
plain.body = nn.ModuleList()
for i, (a, b) in enumerate([(E, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, Z)]):
    plain.body += [nn.Linear(a, b), nn.PReLU()]
base = randomized(plain)
torch.save(base, f"{LAYOUTS}/baseline.pth")
write({k.replace("body.", "mlp."): v for k, v in base.items()}, f"{LAYOUTS}/baseline.safetensors")

# ---- CLIP: pytorch_model.bin with the position_ids of old files.
os.makedirs(f"{LAYOUTS}/clip", exist_ok=True)
part = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, projection_dim=4)
config = CLIPConfig(text_config=dict(part, vocab_size=20, max_position_embeddings=7, bos_token_id=18, eos_token_id=19, pad_token_id=19),
                    vision_config=dict(part, image_size=8, patch_size=4), projection_dim=4)
model = CLIPModel(config)
state = randomized(model)
write(state, f"{LAYOUTS}/clip.safetensors")
state = collections.OrderedDict(state)
state["text_model.embeddings.position_ids"] = torch.arange(7)[None]
state["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
torch.save(state, f"{LAYOUTS}/clip/pytorch_model.bin")
config.save_pretrained(f"{LAYOUTS}/clip")
json.dump({f"t{i}": i for i in range(18)} | {"<|startoftext|>": 18, "<|endoftext|>": 19}, open(f"{LAYOUTS}/clip/vocab.json", "w"))
open(f"{LAYOUTS}/clip/merges.txt", "w").write("#version: 0.2\nt 0\n")
json.dump({"tokenizer_class": "CLIPTokenizer"}, open(f"{LAYOUTS}/clip/tokenizer_config.json", "w"))

# ---- What a checkpoint can hold, whatever the network.
store = torch.arange(24.0)
views = {
    "offset": store[5:11], "matrix": store.reshape(4, 6), "transposed": store.reshape(4, 6).T,
    "permuted": store.reshape(2, 3, 4).permute(2, 0, 1), "every_other": store[1::2], "column": store.reshape(4, 6)[:, 2:3],
    "scalar": torch.tensor(2.5), "element": store[7], "empty": torch.zeros(0, 3), "unit_axes": store.reshape(1, 24, 1)[:, 4:6],
    "half": torch.randn(3).half(), "bfloat16": torch.randn(2, 2).bfloat16(), "double": torch.randn(3).double(),
    "int64": torch.tensor([-1, 2**40]), "int32": torch.tensor([-7, 7], dtype=torch.int32), "uint8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False]), "parameter": nn.Parameter(torch.randn(2, 2)), "channels_last": torch.randn(1, 2, 3, 2).to(memory_format=torch.channels_last),
}
torch.save({"views": views, "number": 7, "long": 2**40, "text": "ünïcode", "none": None, "truth": True, "size": torch.Size([2, 3]), "dtype": torch.float16,
            "device": torch.device("cpu"), "list": [1, (2.5, "a", [])], "deep": {1: {"x": torch.ones(1)}}}, f"{FILES}/views.pt")
write(views, f"{FILES}/views.safetensors")
torch.save(torch.arange(3.0), f"{FILES}/tensor.pth")
torch.save({"a": torch.tensor([1, 2], dtype=torch.int8), "b": torch.ones(2)}, f"{FILES}/int8.pt")
torch.save({"a": torch.ones(1).expand(1000, 1000)}, f"{FILES}/expanded.pt")
torch.save({"a": torch.ones(2)}, f"{FILES}/protocol4.pt", pickle_protocol=4)
torch.save({"a": torch.ones(2)}, f"{FILES}/legacy.pt", _use_new_zipfile_serialization=False)
torch.save(nn.Linear(2, 2), f"{FILES}/module.pt")
torch.jit.script(nn.Linear(2, 2)).save(f"{FILES}/script.pt")


class Malicious:
    """Loaded by Python's pickle, it would run a command."""
    def __reduce__(self):
        return os.system, ("touch EXECUTED",)


torch.save({"a": torch.ones(2), "b": Malicious()}, f"{FILES}/malicious.pt")
