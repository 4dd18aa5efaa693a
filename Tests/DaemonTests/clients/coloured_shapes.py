"""Makes a set of small colour pictures: five kinds of shapes, each mostly of its colour, one folder a kind.

    coloured_shapes.py FOLDER COUNT
"""
import os
import random
import sys

from PIL import Image, ImageDraw

folder, count = sys.argv[1], int(sys.argv[2])
chance = random.Random(7)
kinds = {"disc": (220, 60, 50), "square": (50, 110, 220), "triangle": (240, 180, 40), "ring": (60, 170, 90), "cross": (160, 80, 190)}
for index in range(count):
    kind = list(kinds)[index % len(kinds)]
    shade = tuple(max(0, min(255, part + chance.randint(-35, 35))) for part in kinds[kind])
    ground = chance.randint(190, 245)
    picture = Image.new("RGB", (48, 48), (ground, ground, ground - 10))
    pen = ImageDraw.Draw(picture)
    x, y, r = chance.randint(18, 30), chance.randint(18, 30), chance.randint(9, 16)
    box = (x - r, y - r, x + r, y + r)
    if kind == "disc":
        pen.ellipse(box, fill=shade)
    elif kind == "square":
        pen.rectangle(box, fill=shade)
    elif kind == "triangle":
        pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=shade)
    elif kind == "ring":
        pen.ellipse(box, outline=shade, width=5)
    else:
        pen.line((x - r, y - r, x + r, y + r), fill=shade, width=6)
        pen.line((x - r, y + r, x + r, y - r), fill=shade, width=6)
    os.makedirs(f"{folder}/{kind}", exist_ok=True)
    picture.save(f"{folder}/{kind}/{index:04}.jpg", quality=92)
