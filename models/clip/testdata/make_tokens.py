"""Writes unicode_tokens.json: random texts and their ids by transformers' CLIPTokenizerFast, neither cut nor padded.

usage: make_tokens.py LORELEI_CLIP_FOLDER      (vocab.json and merges.txt; made with transformers 4.57.1, tokenizers 0.22.2)

Characters are limited to those that Unicode had in version 9: later versions differ between the two programs' tables.
"""
import json
import random
import sys
import unicodedata

from transformers import CLIPTokenizerFast

folder = sys.argv[1]
special = dict(unk_token="<|endoftext|>", bos_token="<|startoftext|>", eos_token="<|endoftext|>", pad_token="<|endoftext|>")
tokenizer = CLIPTokenizerFast(folder + "/vocab.json", folder + "/merges.txt", **special)
rnd = random.Random(5)

WORDS = "a person with curly hair wearing glasses T-SHIRT don't It'S they'RE we'll I'd you've I'm O'Neil naïve İstanbul ΣΑΣ Straße".split()
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u0085", "\u200b", "\x1c", "\u2028"]
PIECES = ["'", "''", "'s", "'S", "’s", "'ll", "...", "!?", "<|endoftext|>", "<|StartOfText|>", "<|endoftext", "&amp;", "1234", "½", "Ⅷ", "٣", "e\u0301\u0323",
          "e\u0323\u0301", "\u0301", "ﬁ", "Å", "Å", "ｶﾞ", "각", "각", "क्षि", "นํ้า", "日本語", "👩‍👩‍👧", "🏳️‍🌈", "\x00", "\x7f", "\ufeff", "\ufffd", "\U0010ffff", "\ue000", "ǅ", "Ω", "ẞ"]


def known(c):
    return unicodedata.ucd_3_2_0.category(chr(c)) != "Cn" and not 0xD800 <= c < 0xE000


def character():
    while True:
        c = rnd.choice([rnd.randrange(0x80), rnd.randrange(0x250), rnd.randrange(0x3000), rnd.randrange(0x10000), rnd.randrange(0x30000)])
        if known(c):
            return chr(c)


def text():
    parts = []
    for _ in range(rnd.randrange(1, 7)):
        kind = rnd.random()
        if kind < 0.35:
            parts.append(rnd.choice(WORDS))
        elif kind < 0.65:
            parts.append(rnd.choice(PIECES))
        else:
            parts.append("".join(character() for _ in range(rnd.randrange(1, 4))))
        if rnd.random() < 0.6:
            parts.append(rnd.choice(SPACES))
    return "".join(parts)


texts = [text() for _ in range(400)]
cases = [dict(text=t, ids=tokenizer(t).input_ids) for t in texts]
with open("unicode_tokens.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
