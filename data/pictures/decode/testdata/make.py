"""Writes small picture files and, as NAME.golden.png, the pixels that Pillow reads from them in sRGB (littleCMS, perceptual).

pip install pillow==13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0, littleCMS 2.19); jpegtran of libjpeg-turbo on the path.
"""
import io, random, struct, subprocess
from PIL import Image, ImageCms, PngImagePlugin

random.seed(7)
W, H = 41, 27


def picture(w=W, h=H):
    """Smooth colours, hard edges of saturated ones, and noise."""
    img = Image.new("RGB", (w, h))
    for y in range(h):
        for x in range(w):
            if x < w // 3:
                p = (255 * x * 3 // w, 255 * y // h, 255 - 255 * y // h)
            elif x < 2 * w // 3:
                p = [(250, 10, 20), (20, 60, 240), (250, 240, 200), (10, 200, 30)][(x // 3 + y // 3) % 4]
            else:
                p = tuple(random.randrange(256) for _ in range(3))
            img.putpixel((x, y), p)
    return img


# --- colour profiles, written by hand: ICC.1:2022

def fixed(v):
    return struct.pack(">i", round(v * 65536))


def xyz(*v):
    return b"XYZ \0\0\0\0" + b"".join(fixed(c) for c in v)


def profile(version, kind, space, pcs, tags):
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78), b"wtpt": xyz(0.9642, 1, 0.8249), **tags}
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">II", at + len(body), 0) + bytes([version, 0, 0, 0]) + kind + space + pcs
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1) + fixed(0.8249)
    head += bytes(128 - len(head))
    return head + table + body


def gamma(g):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(g * 256))


def rgb(version, curve, r, g, b):
    return profile(version, b"mntr", b"RGB ", b"XYZ ", {b"rXYZ": xyz(*r), b"gXYZ": xyz(*g), b"bXYZ": xyz(*b), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + b"".join(fixed(v) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
P3 = rgb(4, SRGB_CURVE, (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = rgb(2, gamma(2.19921875), (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
GREY = profile(2, b"mntr", b"GRAY", b"XYZ ", {b"kTRC": gamma(1.8)})


def lab(c, m, y, k):
    """A printer's colours, roughly."""
    r, g, b = ((1 - v * 0.9) * (1 - k * 0.93) for v in (c, m, y))
    return round(255 * (0.25 * r + 0.65 * g + 0.1 * b)), round(128 + 90 * (r - g) * 0.8), round(128 + 90 * (g - b) * 0.7)


def inks():
    n = 5
    clut = b"".join(struct.pack(">H", v * 256) for c in range(n) for m in range(n) for y in range(n) for k in range(n) for v in lab(*(i / (n - 1) for i in (c, m, y, k))))
    head = b"mft2\0\0\0\0" + bytes([4, 3, n, 0]) + b"".join(fixed(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)) + struct.pack(">HH", 2, 2)
    ramp = struct.pack(">HH", 0, 65535)
    return profile(2, b"prtr", b"CMYK", b"Lab ", {b"A2B0": head + ramp * 4 + clut + ramp * 3})


CMYK = inks()
SRGB = ImageCms.createProfile("sRGB")


def golden(name, img, icc=None):
    alpha = img.getchannel("A") if img.mode in ("RGBA", "LA") else None
    if icc:  # not optimised: littleCMS would replace tables by coarser ones, 10 of 255 away in steep places
        flat = img.convert({"RGBA": "RGB", "LA": "L", "P": "RGB"}.get(img.mode, img.mode))
        img = ImageCms.profileToProfile(flat, io.BytesIO(icc), SRGB, outputMode="RGB", flags=0x0100)
    img = img.convert("RGBA" if alpha or "transparency" in img.info else "RGB")
    if alpha:
        img.putalpha(alpha)
    img.save(name + ".golden.png", icc_profile=None)


def write(name, img, icc=None, **options):
    if icc:
        options["icc_profile"] = icc
    img.save(name, **options)
    with Image.open(name) as back:
        back.load()
        golden(name, back, icc)


# --- JPEG
img = picture()
for name, sampling in {"444": 0, "422": 1, "420": 2}.items():
    write(f"{name}.jpg", img, quality=90, subsampling=sampling)
    write(f"even{name}.jpg", picture(32, 24), quality=60, subsampling=sampling)
write("progressive.jpg", img, quality=85, subsampling=2, progressive=True)
write("narrow.jpg", picture(4, 9), quality=90, subsampling=2)
write("grey.jpg", img.convert("L"), quality=90)
subprocess.run(["jpegtran", "-rotate", "90", "-outfile", "440.jpg", "even422.jpg"], check=True)
golden("440.jpg", Image.open("440.jpg"))
ink = img.convert("CMYK")
for x in range(W * H):
    c, m, y, _ = ink.getpixel((x % W, x // W))
    ink.putpixel((x % W, x // W), (c, m, y, (x * 7) % 200))
write("cmyk.jpg", ink, quality=95)
raw = open("cmyk.jpg", "rb").read()
at = raw.index(b"Adobe") + 11
open("ycck.jpg", "wb").write(raw[:at] + b"\2" + raw[at + 1:])  # the same numbers, read as YCCK
golden("ycck.jpg", Image.open("ycck.jpg"))
open("plaincmyk.jpg", "wb").write(raw[:at - 15] + raw[at + 1:])  # without Adobe's segment
golden("plaincmyk.jpg", Image.open("plaincmyk.jpg"))

# --- WebP
soft = img.convert("RGBA")
soft.putalpha(Image.linear_gradient("L").resize((W, H)))
write("lossy.webp", img, quality=80)
write("evenlossy.webp", picture(32, 24), quality=30)
write("lossyalpha.webp", soft, quality=80)
write("lossless.webp", img, lossless=True)
write("alpha.webp", soft, lossless=True, exact=True)
write("animated.webp", img, save_all=True, append_images=[img.rotate(180)], quality=70)

# --- others
write("a.bmp", img)
write("lzw.tif", img, compression="tiff_lzw")
img.convert("1").save("fax.tif", compression="group4")
write("animated.gif", img.quantize(16), save_all=True, append_images=[img.rotate(180).quantize(16)])
hole = img.quantize(15)
hole.paste(15, (5, 5, 15, 15))
write("transparent.gif", hole, transparency=15)

# --- colour profiles
write("p3.jpg", img, P3, quality=95, subsampling=0)
write("adobe.jpg", img, ADOBE, quality=95, subsampling=0)
write("greyprofile.jpg", img.convert("L"), GREY, quality=95)
write("cmykprofile.jpg", ink, CMYK, quality=95)
write("p3.webp", img, P3, lossless=True)
write("p3lossy.webp", img, P3, quality=90)
write("adobe.png", img, ADOBE)
write("adobealpha.png", soft, ADOBE)
write("greyprofile.png", img.convert("L"), GREY)
write("p3.tif", img, P3)


def chunks(name, like, icc, **extra):
    """A PNG with colour chunks; its golden is what littleCMS makes of the profile icc."""
    info = PngImagePlugin.PngInfo()
    for kind, data in extra.items():
        info.add(kind.encode(), data)
    like.save(name, pnginfo=info)
    golden(name, like, icc)


def numbers(*v):
    return b"".join(struct.pack(">I", round(x * 100000)) for x in v)


D65_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
chunks("cicp.png", img, P3, cICP=bytes([12, 13, 0, 1]))
chunks("linear.png", img, rgb(2, gamma(1), *D65_SRGB), gAMA=numbers(1))
chunks("gamma.png", img, None, gAMA=numbers(0.45455))
chunks("chroma.png", img, ADOBE, gAMA=numbers(1 / 2.19921875), cHRM=numbers(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06))
