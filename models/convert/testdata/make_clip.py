"""Writes small CLIPs in every layout that is published, as the tools that publish them write it, and their outputs.

usage: python models/convert/testdata/make_clip.py      (from the root of the repository)

Made with Python 3.11.7, torch 2.15.0, transformers 5.24.0, open_clip_torch 3.3.0, huggingface_hub's splitting, safetensors 0.8.0.
Weights are random with a fixed seed. Outputs are computed in float32 from the weights as the file has them, in its type:
layouts/goldens.safetensors holds, for each layout, pixel_values, ids, image_embeds and text_embeds of the texts below.

hf_shards        transformers' save_pretrained with max_shard_size: safetensors in parts with an index; float16, exact GELU
hf_bin_shards    the same in PyTorch's format, as transformers before version 5 wrote it; bfloat16, quick GELU
openclip         open_clip's save_for_hf: open_clip_model.safetensors and open_clip_config.json; float32, exact GELU, heads of 8
openclip_epoch.pt  a checkpoint of open_clip's training: state_dict with module.; bfloat16, the same network
openai.pt        a traced TorchScript program as OpenAI's: float16 but for embeddings and layer norms; quick GELU
bpe_simple_vocab_16e6.txt.gz  the first merges of OpenAI's vocabulary (MIT licence, see THIRD_PARTY.md)
"""
import contextlib, gzip, json, pathlib, shutil, torch
import open_clip
from open_clip.openai import load_openai_model
from open_clip.push_to_hf_hub import save_for_hf
from open_clip.tokenizer import SimpleTokenizer, default_bpe
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

HERE = pathlib.Path("models/convert/testdata/layouts")
TEXTS = ["a person with hair", "It's an Inn!", ""]
CONTEXT, MERGES, SIZE, PATCH = 16, 20, 8, 4
VOCAB = 512 + MERGES + 2
torch.set_num_threads(1)
torch.manual_seed(3)
shutil.rmtree(HERE, ignore_errors=True)
HERE.mkdir(parents=True)
goldens = {}


def randomized(model):
    for name, t in model.state_dict().items():
        if t.is_floating_point() and "scale" not in name:
            norm = any(part in name for part in ["ln_", "norm", "layrnorm"]) and name.endswith("weight")
            t.normal_(1.0 if norm else 0.0, 0.2)
    return model.eval().requires_grad_(False)


def rounded(model, dtype, which=lambda name: True):
    """The values that are left when the tensors have been through dtype."""
    for name, t in model.state_dict().items():
        if t.is_floating_point() and which(name):
            t.copy_(t.to(dtype).float())
    return model


# ---- The vocabulary.
lines = gzip.open(default_bpe()).read().decode().split("\n")[: MERGES + 1]
bpe = HERE / "bpe_simple_vocab_16e6.txt.gz"
with gzip.GzipFile(bpe, "wb", mtime=0) as f:
    f.write("\n".join(lines).encode())
tokenizer = SimpleTokenizer(str(bpe), context_length=CONTEXT, clean="lower")
assert tokenizer.vocab_size == VOCAB


def write_vocabulary(folder):
    ids = {k.replace("<start_of_text>", "<|startoftext|>").replace("<end_of_text>", "<|endoftext|>"): v for k, v in tokenizer.encoder.items()}
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines[1:]) + "\n")


def padded(rows):  # transformers pads with the end token, open_clip with 0; what follows the end token does not count
    rows = rows.clone()
    for row in rows:
        end = int((row == VOCAB - 1).nonzero()[0])
        row[end:] = VOCAB - 1
    return rows


ids = padded(tokenizer(TEXTS))
pixels = torch.randn(3, 3, SIZE, SIZE)


def keep(name, image_embeds, text_embeds):
    for key, value in dict(pixel_values=pixels, ids=ids.int(), image_embeds=image_embeds, text_embeds=text_embeds).items():
        goldens[f"{name}.{key}"] = (value.detach().float() if value.is_floating_point() else value).clone()


# ---- Hugging Face.
def hugging_face(name, act, dtype, save):
    part = dict(hidden_size=16, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, hidden_act=act)
    config = CLIPConfig(text_config=dict(part, vocab_size=VOCAB, max_position_embeddings=CONTEXT, bos_token_id=VOCAB - 2, eos_token_id=VOCAB - 1),
                        vision_config=dict(part, image_size=SIZE, patch_size=PATCH, num_attention_heads=2), projection_dim=12)
    model = rounded(randomized(CLIPModel(config)), dtype)
    image = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
    text = model.text_projection(model.text_model(input_ids=ids.long()).pooler_output)
    keep(name, image, text)
    folder = HERE / name
    folder.mkdir()
    model.to(dtype)
    save(model, folder)
    write_vocabulary(folder)


def save_safetensors(model, folder):
    model.save_pretrained(folder, max_shard_size="20kB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2


def save_bin(model, folder):
    model.config.save_pretrained(folder)
    state = model.state_dict()
    split = split_torch_state_dict_into_shards(state, filename_pattern="pytorch_model{suffix}.bin", max_shard_size="20kB")
    for file, names in split.filename_to_tensors.items():
        torch.save({n: state[n] for n in names}, folder / file)
    index = dict(metadata=split.metadata, weight_map=split.tensor_to_filename)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


hugging_face("hf_shards", "gelu", torch.float16, save_safetensors)
hugging_face("hf_bin_shards", "quick_gelu", torch.bfloat16, save_bin)


# ---- OpenCLIP.
class Vocabulary:  # in the place of the tokenizer that save_for_hf saves
    save_pretrained = staticmethod(write_vocabulary)


model_cfg = dict(embed_dim=12, vision_cfg=dict(image_size=SIZE, layers=2, width=32, head_width=8, patch_size=PATCH),
                 text_cfg=dict(context_length=CONTEXT, vocab_size=VOCAB, width=24, heads=4, layers=2))
model = randomized(open_clip.CLIP(**model_cfg))
model.visual.image_mean, model.visual.image_std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
keep("openclip", model.encode_image(pixels), model.encode_text(ids.long()))
save_for_hf(model, Vocabulary, model_cfg, HERE / "openclip", safe_serialization=True)

rounded(model, torch.bfloat16)
keep("openclip_epoch", model.encode_image(pixels), model.encode_text(ids.long()))
state = {"module." + k: v.to(torch.bfloat16) for k, v in model.state_dict().items()}
torch.save(dict(epoch=3, name="tiny", state_dict=state), HERE / "openclip_epoch.pt")


# ---- OpenAI. Widths of 64: a head has 64 in all of OpenAI's networks.
def is_half(name):  # clip.model.convert_weights leaves these in float32
    return not any(part in name for part in ["ln_", "token_embedding", "positional_embedding", "class_embedding", "logit_scale"])


def openai(path, mlp_ratio):
    part = dict(layers=1, width=64, mlp_ratio=mlp_ratio)
    model = open_clip.CLIP(embed_dim=20, quick_gelu=True, vision_cfg=dict(part, image_size=SIZE, patch_size=PATCH),
                           text_cfg=dict(part, context_length=CONTEXT, vocab_size=VOCAB, heads=1))
    rounded(randomized(model), torch.float16, is_half)
    mask = model._buffers.pop("attn_mask")  # a constant in OpenAI's program
    model.attn_mask = mask
    for name, number in dict(input_resolution=SIZE, context_length=CONTEXT, vocab_size=VOCAB).items():
        with contextlib.suppress(AttributeError):
            delattr(model, name)
        model.register_buffer(name, torch.tensor(number))
    keep("openai", model.encode_image(pixels), model.encode_text(ids.long()))
    with torch.no_grad():
        traced = torch.jit.trace(model, (pixels, ids.long()), check_trace=False)
    for name, t in list(traced.named_parameters()) + list(traced.named_buffers()):
        if t.is_floating_point() and is_half(name):
            t.data = t.data.half()
    traced.save(str(path))


# With OpenAI's proportions OpenCLIP's reader of OpenAI's programs finds the network and computes the same. The file that is kept
# has smaller MLPs, and is a third smaller.
probe = HERE / "probe.pt"
openai(probe, 4.0)
again = load_openai_model(str(probe), precision="fp32", device="cpu")
assert torch.allclose(again.encode_image(pixels).float(), goldens["openai.image_embeds"], atol=1e-4)
assert torch.allclose(again.encode_text(ids.long()).float(), goldens["openai.text_embeds"], atol=1e-4)
probe.unlink()
openai(HERE / "openai.pt", 1.0)

save_file(goldens, HERE / "goldens.safetensors")
