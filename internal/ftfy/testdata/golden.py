"""Writes golden.json: what ftfy 6.3.1 and Python's html.unescape make of texts, for ftfy_test.go.

pip install ftfy==6.3.1 (here with Python 3.11.7); python golden.py, here. cases are texts with their results. random is the
CRC-32 of the UTF-8 of ftfy.fix_text of 20,000 random texts, 8 hexadecimal digits each, unescaped that of html.unescape. The test makes
the same texts (see internal/pytools/random_texts.py).
"""
import html, json, sys, zlib
import ftfy
import ftfy.bad_codecs

CASES = """don’t “quote” ‘single’ „low“ ‚low‘ ʼn ´ `
tom &amp; jerry &lt;b&gt; &quot;x&quot; &#39; &#x27; &#X27; &nbsp;&hellip;
&amp;amp; &amp;lt; &AMP; &Amp; &amp &ampx &notit; &not &copy &copyx; &NTILDE; &ntilde; &nTILDE; &SZLIG; &FRAC12; &Jscr; &fjlig; &bne;
&#0; &#13; &#128; &#129; &#150; &#159; &#xD800; &#x110000; &#1; &#11; &#127; &#xFFFE; &#65534; &#99999999999; &#; &#x; &#xg; &#٣;
<b>bold</b> &amp; &eacute;
ＦＵＬＬ　ＷＩＤＴＨ １２３ ！？ ｶﾞｷﾞ ﾊﾝ ￥ ￦
ﬁnd ﬂow oﬃce eﬄux ﬅ ﬆ ĳ Ĳ ŉ ǆ ǅ Ǆ ǈ ǌ ǳ
e\u0301 \u00e9 A\u030a \u212b \u1e69 s\u0323\u0307 \u1100\u1161\u11a8
a\r\nb\rc\u2028d\u2029e\u0085f\x0bg\x0ch\ti
\x00a\x01\x07\x08b\x0e\x1f\x7f\ufeffc\ufffcd\ufff9\ufffb\u206a\u206f\u200b\u200d\u200e\u202a
\x1b[36;44mblue\x1b[0m \x1b[m \x1b[1;2 x
cafÃ© naÃ¯ve dÃ©jÃ  vu
â€œquotedâ€\x9d â€˜xâ€™ â€¦ â€“ â€” itâ€™s â€œlikeâ€�
voilÃ le travail Ã la mode Ã s Ã quele fÃ cil
sÃ³ Ã³ Ãº Â£5 Â© Â° 30Â°C Â½ Â 
âœ” No problems \u00c3\u00a3\u00c2\u0081
рќЎґ ГўВЂВњ РџСЂРёРІРµС‚ Ð\x9fÑ\x80Ð¸Ð²ÐµÑ\x82 вЂњ
æ—¥æœ¬èªž ã\x83\x84 ï¼\x81 ðŸ˜€ ð\x9f\x98\x80
√© ‚Äôs ‚Äú ‚Ä¶ √† ≈ì Г©
\x80\x85\x91\x92\x93\x94\x96\x97\x99
naïve café Ångström ñandú — “fine” already… £5 €5 ½ ² µ ª º
Él, À la carte. ÀÉÎ ÇA! ÜBER
œuvre Œuvre œ. ß× ײ ×²
àµ à² Ø§Ù„Ø³Ù„Ø§Ù… Ã\xa0 Ã¡ Â¿quÃ© tal?
ï»¿bom â„¢ â€¢ â‚¬
Rm‘s aÂ b Â« Â» Å\xa0 Å½
\xed\xa0\xbd\xed\xb8\x80 \xc0\x80
a &lt; b
&lt;i&gt; <
""".split("\n")
CASES = [c.encode("latin-1", "backslashreplace").decode("unicode-escape") if "\\x" in c or "\\u" in c or "\\r" in c or "\\t" in c else c for c in CASES]
CASES += ["a\n&amp;\nb < c\n&amp;\n", "\n", "", "x" * 300 + "Ã©", "&" * 50, "&amp;" * 20, "é" * 40 + "Ã©" * 3]

WORDS = "a person with curly hair don't naïve café photo of the cat Straße ÀÉ œuvre Él Øl".split()
SPACES = [" "] * 10 + ["  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u3000", "\u0085", "\u200b", "\u2028"]
PIECES = ["'", "’", "“x”", "„", "…", "—", "&amp;", "&amp;amp;", "&lt;", "&#39;", "&#x92;", "&eacute;", "&EACUTE;", "&copy", "<", "&", ";", "ﬁ", "Ａ", "ｶﾞ", "e\u0301", "\ufeff", "\x00",
          "\x85", "\x92", "\x9d", "\x1a", "?", "\ufffd", "°", "²", "½", "€", "£", "™", "Â", "Ã", "â", "à", "Ð", "Ñ", "×", "Ø", "Ù", "╔", "√", "\x1b[1m"]
for c in "éèñüßàÀçøåÅŠžłőğіяЖλΩΆ“”’‘…–—•€£™°²½¡¿ « »日本語😀ツ한ا\u0301\u2028\ufeff\ufffd":
    for code in "latin-1 windows-1252 windows-1251 windows-1250 windows-1253 windows-1254 windows-1257 iso-8859-2 macroman cp437".split():
        name = code if code in ("latin-1", "iso-8859-2", "macroman", "cp437") else "sloppy-" + code
        piece = c.encode().decode(name)
        for p in (piece, piece.replace("\xa0", " ")):
            if p not in PIECES:
                PIECES.append(p)
PIECES = [p for p in PIECES if p.strip()]
LIMITS = [0x80, 0x100, 0x250, 0x500, 0x3000, 0x10000]


sys.path.append("../../pytools")
from random_texts import RandomTexts

random = RandomTexts(7, WORDS, SPACES, PIECES, LIMITS, word=30, piece=75, space=50)


def crc(s):
    return f"{zlib.crc32(s.encode()):08x}"


cases = [dict(text=t, fixed=ftfy.fix_text(t), unescaped=html.unescape(t)) for t in CASES]
texts = [random.text() for _ in range(20_000)]
with open("golden.json", "w") as f:
    lists = dict(words=WORDS, spaces=SPACES, pieces=PIECES, limits=LIMITS, ranges=random.ranges)
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in lists.items()))
    f.write(',\n"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")
    f.write(f',\n"random": "{"".join(crc(ftfy.fix_text(t)) for t in texts)}",\n"unescaped": "{"".join(crc(html.unescape(t)) for t in texts)}"\n}}\n')
