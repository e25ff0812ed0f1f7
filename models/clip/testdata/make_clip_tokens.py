"""Writes clip_tokens.json: ids of OpenAI's own vocabulary by transformers' CLIPTokenizer, neither cut nor padded.

usage: python models/clip/testdata/make_clip_tokens.py      (from the root of the repository)

Made with Python 3.11.7, transformers 5.24.0, tokenizers 0.23.3, open_clip_torch 3.3.0, whose wheel has the vocabulary. It is no
part of this repository: the test takes it from the same wheel.

cases are CLIP's corner cases with their ids; lost tells whether a context of 77 is too short. described and random are the CRC-32
of the ids, as little-endian int32, of Lorelei's descriptions and of 10,000 random texts, 8 hexadecimal digits each. The
test makes the same texts (see internal/pytools/random_texts.py).
"""
import gzip, json, sys, zlib
import numpy as np
import open_clip.tokenizer
from transformers import AddedToken, CLIPTokenizer

OUT = "models/clip/testdata/clip_tokens.json"
merges = gzip.open(open_clip.tokenizer.default_bpe()).read().decode().split("\n")[1 : 49152 - 256 - 2 + 1]
encoder = open_clip.tokenizer.SimpleTokenizer().encoder
vocab = {k.replace("<start_of_text>", "<|startoftext|>").replace("<end_of_text>", "<|endoftext|>"): v for k, v in encoder.items()}
# OpenAI's own tokenizer finds special tokens in lower-cased text; transformers does if they are "normalized", the default before version 5.
special = {name: AddedToken(token, normalized=True) for name, token in
           dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>", pad_token="<|endoftext|>").items()}
tokenizer = CLIPTokenizer(vocab=vocab, merges=[tuple(m.split()) for m in merges], **special)


def ids(text):
    return tokenizer(text).input_ids


def crc(text):
    return f"{zlib.crc32(np.array(ids(text), dtype='<i4').tobytes()):08x}"


CASES = """a photo of a cat
A PHOTO OF A CAT
an old man with a beard, wearing glasses.
don't can't won't I'm you're they've he'll she'd it's
DON'T I'M we'LL'S
rock'n'roll
o'clock ''quoted'' 'sister
's
'
1234567890
3.14 1,000,000 50% $5 #1 @home a1b2c3
½ ² Ⅷ ٣ ๓ 四
hello,world!
!!!???...
--- ___ ///
~`@#$%^&*()[]{}
http://example.com/a?b=c&d=e
tom &amp; jerry &lt;b&gt; &quot;x&quot; &#39;
<b>bold</b> <|startoftext|>a<|endoftext|> b<|endoftext
<|StartOfText|> <|endoftext|>
👩‍👩‍👧 🏳️‍🌈 🤖 👍🏽 ❤️
a😀b😀
日本語のテキスト
中文字符测试
한국어 텍스트
Ελληνικά ΣΑΣ ΐ
русский текст ЁЖ
עברית العربية
हिन्दी क्षि
ไทย นํ้า
naïve café Ångström İstanbul Straße ẞ
ﬁ ﬂ ſ K Å
supercalifragilisticexpialidocious
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
A person.
a. b. c.
U.S.A. Dr. Who's""".split("\n")
CASES += ["", " ", "e\u0301 \u00e9", "\ufeffbom", "\u200bzero\u200bwidth", "tab\tnew\nline\r\n end\u00a0nbsp\u3000wide", "   many    spaces ",
          "\x00\x01\x7f control", "\ufffd\ue000\U0010ffff"]
CASES += ["a " * 75, "a " * 76, "cat " * 200, "word " * 70 + "antidisestablishmentarianism " * 5, "日本語" * 60, "x" * 500]

WORDS = "a person with curly hair wearing glasses T-SHIRT don't It'S they'RE we'll I'd you've I'm O'Neil naïve İstanbul ΣΑΣ Straße photo of the cat 2024 3D".split()
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u0085", "\u200b", "\x1c", "\u2028"]
PIECES = ["'", "''", "'s", "'S", "’s", "'ll", "...", "!?", "<|endoftext|>", "<|StartOfText|>", "<|endoftext", "&amp;", "1234", "½", "Ⅷ", "٣", "e\u0301\u0323",
          "e\u0323\u0301", "\u0301", "ﬁ", "ｶﾞ", "각", "क्षि", "นํ้า", "日本語", "👩‍👩‍👧", "🏳️‍🌈", "\x00", "\x7f", "\ufeff", "\ufffd", "\U0010ffff", "\ue000", "ǅ", "Ω"]
LIMITS = [0x80, 0x250, 0x3000, 0x10000, 0x30000]


sys.path.append("internal/pytools")
from random_texts import RandomTexts

texts = RandomTexts(5, WORDS, SPACES, PIECES, LIMITS, word=35, piece=60, space=60)

cases = [dict(text=t, ids=ids(t), lost=len(ids(t)) > 77) for t in CASES]
described = "".join(crc(d["text"]) for d in json.load(open("configs/domains/lorelei/descriptions.json")))
random = "".join(crc(texts.text()) for _ in range(10_000))
with open(OUT, "w") as f:
    lists = dict(words=WORDS, spaces=SPACES, pieces=PIECES, limits=LIMITS, ranges=texts.ranges)
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in lists.items()))
    f.write(',\n"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")
    f.write(f',\n"described": "{described}",\n"random": "{random}"\n}}\n')
