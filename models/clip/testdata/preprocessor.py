"""Writes preprocessor/: pictures, preprocessor_config.json files and what transformers' CLIPImageProcessor makes of them.

pip install transformers==5.24.0 pillow==13.0.0 torch==2.15.0. Values are of the processor without the
normalisation of colours, times 255: whole numbers, as a PNG.
"""
import json, os, random
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil as Processor

os.makedirs("preprocessor", exist_ok=True)
random.seed(3)
SIZE = 32


def picture(w, h):
    """Edges and noise: what filters overshoot on."""
    img = Image.new("RGB", (w, h))
    for y in range(h):
        for x in range(w):
            edge = (x // 5 + y // 7) % 2
            p = (255 * edge, 255 * x // w, 255 - 255 * edge) if x < w // 2 else tuple(random.choice((0, 255, random.randrange(256))) for _ in range(3))
            img.putpixel((x, y), p)
    return img


SIZES = {"wide": (75, 50), "tall": (41, 97), "small": (20, 13), "equal": (32, 32), "square": (96, 96), "thin": (150, 9)}
for name, size in SIZES.items():
    picture(*size).save(f"preprocessor/{name}.png")

CONFIGS = {
    "default": {"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}, "resample": 3},
    "number": {"size": SIZE, "crop_size": SIZE, "resample": 2},
    "lanczos": {"size": {"shortest_edge": SIZE + 8}, "crop_size": {"height": SIZE, "width": SIZE}, "resample": 1},
    "squash": {"size": {"height": SIZE, "width": SIZE}, "do_center_crop": False, "resample": 3},
    "box": {"size": {"shortest_edge": SIZE}, "crop_size": SIZE, "resample": 4},
    "hamming": {"size": {"shortest_edge": SIZE}, "crop_size": SIZE, "resample": 5},
    "nearest": {"size": {"shortest_edge": SIZE}, "crop_size": SIZE, "resample": 0},
    "smaller": {"size": {"shortest_edge": SIZE - 9}, "crop_size": SIZE, "resample": 3},
}
for name, config in CONFIGS.items():
    with open(f"preprocessor/{name}.json", "w") as f:
        json.dump(config, f)
    processor = Processor(**config, do_normalize=False, do_rescale=False)
    for picture_name in SIZES:
        out = processor(Image.open(f"preprocessor/{picture_name}.png"), return_tensors="np")["pixel_values"][0]
        Image.fromarray(out.transpose(1, 2, 0).astype("uint8")).save(f"preprocessor/{name}-{picture_name}.golden.png")

# Embeddings of the pictures by the embedded CLIP, checkpoints/lorelei/clip, with its own preprocessor_config.json.
import torch
from transformers import CLIPModel

folder = "../../../checkpoints/lorelei/clip"
model, processor = CLIPModel.from_pretrained(folder), Processor.from_pretrained(folder)
embeds = {}
with torch.no_grad():
    for name in SIZES:
        pixels = processor(Image.open(f"preprocessor/{name}.png"), return_tensors="pt")["pixel_values"]
        out = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)[0]
        embeds[name] = [round(v, 6) for v in (out / out.norm()).tolist()]
with open("preprocessor/embeds.json", "w") as f:
    json.dump(embeds, f)
