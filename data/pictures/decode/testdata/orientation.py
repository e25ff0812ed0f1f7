"""Writes the pictures of orientation/, which orientation_test.go reads: python orientation.py, here. Made with Pillow 13.0.

Each holds the same picture, upright.png, turned as its name's number, EXIF's orientation, says, which Pillow turns back.
"""

from PIL import Image, ImageOps

SIDE = 8  # JPEG's blocks, so that no colour runs into another
COLOURS = [["red", "lime", "blue"], ["white", "black", "yellow"]]
T = Image.Transpose
# What makes the stored picture of the upright one; only 6 and 8 are not their own inverse.
TURNS = [None, T.FLIP_LEFT_RIGHT, T.ROTATE_180, T.FLIP_TOP_BOTTOM, T.TRANSPOSE, T.ROTATE_90, T.TRANSVERSE, T.ROTATE_270]

upright = Image.new("RGB", (3 * SIDE, 2 * SIDE))
for y, row in enumerate(COLOURS):
    for x, colour in enumerate(row):
        upright.paste(colour, (x * SIDE, y * SIDE, (x + 1) * SIDE, (y + 1) * SIDE))
upright.save("orientation/upright.png")
for number, turn in enumerate(TURNS, 1):
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = number
    for ending, options in {"jpg": {"quality": 95, "subsampling": 0}, "png": {}, "webp": {"lossless": True}}.items():
        name = f"orientation/{number}.{ending}"
        stored.save(name, exif=exif, **options)
        with Image.open(name) as saved:
            back = ImageOps.exif_transpose(saved).convert("RGB")
        assert back.size == upright.size
        assert all(abs(a - b) < 12 for a, b in zip(back.tobytes(), upright.tobytes())), name
