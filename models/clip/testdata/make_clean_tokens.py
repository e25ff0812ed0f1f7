"""Writes clean_tokens.json: ids of OpenAI's vocabulary by OpenAI's and OpenCLIP's SimpleTokenizer, with each of its cleanings.

usage: python models/clip/testdata/make_clean_tokens.py      (from the root of the repository, after `make test` fetched the vocabulary)

Made with Python 3.11.7, ftfy 6.3.1, regex 2026.11.19 and open_clip_torch 3.3.0, whose tokenizer is OpenAI's with a choice of
cleaning. cases are texts with their ids, neither cut nor padded, by "lower", which is OpenAI's. random is the CRC-32 of the ids
of the 10,000 random texts of clip_tokens.json by each cleaning, as little-endian int32, 8 hexadecimal digits each.
"""
import importlib.util, json, sys, types, zlib
import numpy as np

sys.modules.setdefault("torch", types.SimpleNamespace(Tensor=object, LongTensor=object))  # named in annotations only
SOURCE = ".cache/vocabulary/open_clip/tokenizer.py"
spec = importlib.util.spec_from_file_location("tokenizer", SOURCE)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

# OpenCLIP spells the special tokens otherwise than OpenAI; the vocabulary is the same.
tokenizers = {}
for clean in ("lower", "whitespace", "canonicalize"):
    t = tokenizers[clean] = module.SimpleTokenizer(clean=clean)
    pattern = t.pat.pattern.replace("<start_of_text>", r"<\|startoftext\|>").replace("<end_of_text>", r"<\|endoftext\|>")
    t.pat = module.re.compile(pattern, module.re.IGNORECASE)
    for ours, theirs in {"<|startoftext|>": "<start_of_text>", "<|endoftext|>": "<end_of_text>"}.items():
        t.encoder[ours], t.cache[ours] = t.encoder[theirs], ours

golden = json.load(open("models/clip/testdata/clip_tokens.json"))
sys.path.append("internal/pytools")
from random_texts import RandomTexts

random = RandomTexts(5, golden["words"], golden["spaces"], golden["pieces"], golden["limits"], word=35, piece=60, space=60)
texts = [random.text() for _ in range(10_000)]


def ids(text, clean="lower"):
    return tokenizers[clean].encode(text)


def crc(text, clean):
    return f"{zlib.crc32(np.array(ids(text, clean), dtype='<i4').tobytes()):08x}"


CASES = [c["text"] for c in golden["cases"]] + [c["text"] for c in json.load(open("internal/ftfy/testdata/golden.json"))["cases"]]
CASES += ["a “wizard’s” hat", "tom &amp;amp; jerry &lt;b&gt;", "ΣΑΣ ΟΔΟΣ Σ", "İSTANBUL ſ 'ſ K", "it'S THEY'RE don'T", "a_b c-d! {x}", "  \u00a0 x \u3000 "]
CASES += ["\u0345", "a\u0345b, ω\u0345 !\u0345?", "πύργος " * 20 + "ΣΑΣ ΟΔΟΣ " * 20]  # an ignored mark; Σ far from the beginning
with open("models/clip/testdata/clean_tokens.json", "w") as f:
    json.dump({"cases": [dict(text=t, ids=ids(t)) for t in CASES],
               "random": {clean: "".join(crc(t, clean) for t in texts) for clean in tokenizers}}, f, separators=(",", ":"))
