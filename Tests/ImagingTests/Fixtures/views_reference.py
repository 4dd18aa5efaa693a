#!/usr/bin/env python3
"""Twenty random views, as augmentation_reference.py's operations make them one after another from a picture with noise.

    python3 views_reference.py --out views.safetensors      (seed 5; needs what augmentation_reference.py needs)

Crops of every aspect, so that both orders of resampling occur, and the colour operations in every order.
"""
import argparse
import json

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from augmentation_reference import OPS, picture


def views(rng, width, height, size=32):
    for _ in range(20):
        w, h = int(rng.integers(8, width + 1)), int(rng.integers(8, height + 1))
        crop = dict(left=int(rng.integers(0, width - w + 1)), top=int(rng.integers(0, height - h + 1)), width=w, height=h)
        colours = [(op, dict(factor=float(rng.uniform(0.2, 1.8)))) for op in ("brightness", "contrast", "saturation")]
        colours.append(("hue", dict(shift=float(rng.uniform(-0.2, 0.2)))))
        steps = [("resized_crop", dict(**crop, size=size))]
        steps += [("horizontal_flip", {})] if rng.random() < 0.5 else []
        steps += [colours[i] for i in rng.permutation(4)]
        steps += [("greyscale", {})] if rng.random() < 0.2 else []
        steps += [("gaussian_blur", dict(kernel=3, sigma=float(rng.uniform(0.1, 2))))] if rng.random() < 0.3 else []
        yield steps


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default="views.safetensors")
    args = p.parse_args()
    rng = np.random.default_rng(5)
    source = np.clip(picture(90, 70) + rng.normal(0, 8, (90, 70, 3)), 0, 255).astype(np.uint8)
    out, meta = {"input": source}, {}
    for number, steps in enumerate(views(rng, 70, 90)):
        image = Image.fromarray(source)
        for op, params in steps:
            image = OPS[op](image, params)
        out[f"view_{number}"] = np.ascontiguousarray(np.asarray(image))
        meta[f"view_{number}"] = json.dumps([{"op": op, **params} for op, params in steps])
    save_file(out, args.out, metadata=meta)
    print(f"{args.out}: {len(meta)} views")


if __name__ == "__main__":
    main()
