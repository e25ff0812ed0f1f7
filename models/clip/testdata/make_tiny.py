"""Writes tiny/ (config.json, model.safetensors) and tiny_goldens.safetensors: a random CLIP of an odd shape, inputs and
its outputs, and area resizes of random pictures.

usage: make_tiny.py      (made with torch 2.15.0, transformers 4.57.1; float32 on CPU, one thread)

The shape differs from Lorelei's and ViT-B/32's in all that could have been fixed by mistake: patch 4 at 16 pixels, exact GELU
in one tower, heads of other widths, an embedding that is as wide as neither tower, another epsilon, and the old eos_token_id 2.
"""
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

torch.manual_seed(7)
torch.set_num_threads(1)
config = CLIPConfig(
    projection_dim=10,
    text_config=dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=16,
                     vocab_size=50, hidden_act="quick_gelu", layer_norm_eps=1e-5, bos_token_id=48, eos_token_id=2, pad_token_id=1),
    vision_config=dict(hidden_size=20, intermediate_size=36, num_hidden_layers=3, num_attention_heads=5, image_size=16, patch_size=4,
                       hidden_act="gelu", layer_norm_eps=1e-3))
model = CLIPModel(config).eval()
with torch.no_grad():
    for name, p in model.named_parameters():  # far from the initial values, where norms are the identity and attention is flat
        p.copy_(torch.randn_like(p) * (0.3 if p.dim() > 1 else 0.5) + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
os.makedirs("tiny", exist_ok=True)
save_file({k: v.contiguous() for k, v in model.state_dict().items()}, "tiny/model.safetensors")
with open("tiny/config.json", "w") as f:
    f.write(config.to_json_string())  # only what differs from the defaults

ids = torch.randint(3, 48, (5, 16), dtype=torch.int32)
ids[:, 0] = 48
for row, length in enumerate([2, 5, 9, 15, 16]):  # the end token 49, then padding by it or by another id
    ids[row, length - 1] = 49
    ids[row, length:] = 49 if row % 2 else 1
pixels = torch.randn(3, 3, 16, 16)
goldens = dict(input_ids=ids, pixel_values=pixels)
with torch.no_grad():
    goldens["text_embeds"] = model.get_text_features(input_ids=ids)
    goldens["image_embeds"] = model.get_image_features(pixel_values=pixels)


def area(x, height, width):
    """Mean over the exact interval: up to a common multiple by nearest, then average pooling."""
    h, w = x.shape[-2:]
    up = x.double().repeat_interleave(height, 2).repeat_interleave(width, 3)
    return F.avg_pool2d(up, (h, w)).float()


for name, size, to in [("24_16", (24, 24), (16, 16)), ("64_16", (64, 64), (16, 16)), ("8_16", (8, 8), (16, 16)), ("10x6_4x9", (10, 6), (4, 9))]:
    x = torch.randn(1, 2, *size)
    goldens["resize." + name + ".from"], goldens["resize." + name + ".to"] = x, area(x, *to)
x = torch.randn(1, 1, 96, 96)  # the official release: nearest x 7, then average pooling by size / 32
goldens["resize.96_224.from"] = x
goldens["resize.96_224.to"] = F.avg_pool2d(F.interpolate(x, scale_factor=7, mode="nearest"), 96 // 32)[:, :, ::8]  # every 8th row
save_file({k: v.contiguous() for k, v in goldens.items()}, "tiny_goldens.safetensors")
