"""Writes tables.json: the characters and the patterns by which ftfy 6.3.1 (Robyn Speer, Apache-2.0) finds mojibake.

pip install ftfy==6.3.1; python tables.py, here. The pattern "badness" is BADNESS_RE without the spaces and comments of its
verbose form, and with Python's \\s and \\w spelt out: Go's know ASCII only.
"""
import json, re
from ftfy import badness, chardata

SPACE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
WORD = r"\p{L}\p{N}_"


def plain(pattern):
    """A verbose pattern without spaces and comments outside of classes, for Go."""
    out, inside, i = [], False, 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            pair = pattern[i:i + 2]
            out.append({r"\s": f"[{SPACE}]", r"\w": f"[{WORD}]"}.get(pair, pair) if not inside else pair)
            i += 2
            continue
        if not inside and c == "#":
            while pattern[i] != "\n":
                i += 1
        elif inside or not c.isspace():
            out.append(c)
        if c == "[" and not inside:
            inside = True
        elif c == "]" and inside:
            inside = False
        i += 1
    return re.sub(r"\\u([0-9a-f]{4})", lambda m: r"\x{%s}" % m.group(1), "".join(out))


def members(chars):
    """The characters of a class, ranges written out."""
    c = re.compile(f"[{chars}]")
    return "".join(chr(i) for i in range(0x11000) if c.match(chr(i)))


with open("tables.json", "w") as f:
    json.dump({
        "badness": plain(badness.BADNESS_RE.pattern),
        **{name: members(chars) for name, chars in chardata.UTF8_CLUES.items()},
        "ligatures": {chr(k): v for k, v in chardata.LIGATURES.items()},
    }, f, ensure_ascii=True, indent=1)
