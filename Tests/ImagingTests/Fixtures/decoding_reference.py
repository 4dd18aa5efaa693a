#!/usr/bin/env python3
"""Small files of every kind that the decoder reads, with the pixels that Pillow makes of them.

    python3 decoding_reference.py --out decoding.safetensors      (needs numpy, pillow, opencv, safetensors)

`<case>.bytes` is the file, `<case>.pixels` uint8 [H, W, 3] what `convert("RGB")` gives after turning by EXIF orientation.
16-bit pixels are numpy's, rounded to 8 bits, since Pillow cannot scale them. What Pillow cannot write (Adam7, some chunks)
is put together here. Animations have no pixels: they are refused.
"""
import argparse
import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

W, H = 37, 26


def picture(width=W, height=H):
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rgb = np.stack([127 + 120 * np.sin(x / 9 + c) * np.cos(y / (6 + 2 * c)) for c in range(3)], -1)
    rgb[(x - 20) ** 2 + (y - 10) ** 2 < 30] = (230, 40, 30)
    return np.clip(rgb, 0, 255).astype(np.uint8)


RGB = Image.fromarray(picture())
ALPHA = Image.fromarray((np.mgrid[0:H, 0:W][1] * 255 // (W - 1)).astype(np.uint8))
RGBA = RGB.copy()
RGBA.putalpha(ALPHA)
WIDE = picture().astype(np.uint16) * 256 + picture()[::-1]  # 16 bits, low byte unrelated to the high one


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def exif(orientation, big_endian=False):
    order = ">" if big_endian else "<"
    tiff = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    return b"Exif\0\0" + tiff


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def after_header(png, *chunks):
    return png[:33] + b"".join(chunks) + png[33:]


def adam7(pixels):
    rows = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in pixels[y0::dy, x0::dx]:
            rows += b"\0" + row.tobytes() if row.size else b""
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def files():
    for sampling in (0, 1, 2):
        yield f"jpeg_sampling_{sampling}", saved(RGB, "JPEG", quality=90, subsampling=sampling)
    yield "jpeg_progressive", saved(RGB, "JPEG", quality=80, progressive=True)
    yield "jpeg_restarts", saved(RGB, "JPEG", quality=80, restart_marker_blocks=1)
    yield "jpeg_grey", saved(RGB.convert("L"), "JPEG", quality=90)
    cmyk = saved(RGB.convert("CMYK"), "JPEG", quality=90)
    yield "jpeg_cmyk", cmyk
    adobe = cmyk.index(b"Adobe") + 11  # the transform byte: 2 says YCCK
    yield "jpeg_ycck", cmyk[:adobe] + b"\x02" + cmyk[adobe + 1:]
    plain = saved(RGB, "JPEG", quality=90, subsampling=2)
    yield "jpeg_trailing_garbage", plain + b"\xff\xd8\xff garbage" * 20
    tall = saved(Image.fromarray(picture(16, 32)), "JPEG", quality=90, subsampling=2)
    factors = tall.index(b"\xff\xc0") + 11  # luma from 2x2 blocks to 1x4: a layout without a name in TurboJPEG 2
    yield "jpeg_sampling_unnamed", tall[:factors] + b"\x14" + tall[factors + 1:]
    yield "jpeg_2x2", saved(Image.fromarray(picture(2, 2)), "JPEG", quality=95)
    for orientation in range(1, 9):
        yield f"jpeg_orientation_{orientation}", saved(
            RGB, "JPEG", quality=90, subsampling=0, exif=exif(orientation, big_endian=orientation % 2 == 0))
    yield "jpeg_orientation_invalid", saved(RGB, "JPEG", quality=90, exif=exif(9))

    yield "png_rgb", saved(RGB, "PNG")
    yield "png_rgba", saved(RGBA, "PNG")
    yield "png_grey", saved(RGB.convert("L"), "PNG")
    yield "png_grey_alpha", saved(RGBA.convert("LA"), "PNG")
    for colors in (2, 4, 16, 200):
        yield f"png_palette_{colors}", saved(RGB.quantize(colors), "PNG")
    yield "png_palette_transparent", saved(RGB.quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))
    yield "png_rgb_transparent", saved(RGB, "PNG", transparency=(230, 40, 30))
    yield "png_bilevel", saved(RGB.convert("1"), "PNG")
    yield "png_adam7", adam7(picture())
    png = saved(RGB, "PNG")
    yield "png_gamma", after_header(png, chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "png_orientation_6", after_header(png, chunk(b"eXIf", exif(6, big_endian=True)[6:]))
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(900_000), 9))
    yield "png_compressed_text", after_header(png, text)
    yield "png_trailing_garbage", png + b"garbage"

    yield "webp_lossy", saved(RGB, "WEBP", quality=90)
    yield "webp_lossless", saved(RGB, "WEBP", lossless=True)
    yield "webp_alpha", saved(RGBA, "WEBP", lossless=True, exact=True)
    yield "webp_orientation_8", saved(RGB, "WEBP", quality=90, exif=exif(8))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default="decoding.safetensors")
    args = p.parse_args()
    out = {}
    for name, data in files():
        out[f"{name}.bytes"] = np.frombuffer(data, np.uint8)
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        out[f"{name}.pixels"] = np.ascontiguousarray(np.asarray(image.convert("RGB")))
    levels = np.floor(WIDE / 257 + 0.5).astype(np.uint8)
    wide_alpha = np.dstack([WIDE, np.full((H, W), 1000, np.uint16)])
    for name, array, expected in (
            ("png_rgb_16", WIDE, levels), ("png_rgba_16", wide_alpha, levels),
            ("png_grey_16", WIDE[..., :1], np.repeat(levels[..., :1], 3, -1))):
        bgr = array[..., [2, 1, 0] + [3] * (array.shape[2] == 4)] if array.shape[2] > 1 else array
        out[f"{name}.bytes"] = np.frombuffer(cv2.imencode(".png", bgr)[1].tobytes(), np.uint8)
        out[f"{name}.pixels"] = np.ascontiguousarray(expected)
    frames = [RGB, RGB.transpose(Image.FLIP_LEFT_RIGHT)]
    out["webp_animated.bytes"] = np.frombuffer(
        saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]), np.uint8)
    apng = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    out["png_animated.bytes"] = np.frombuffer(apng, np.uint8)
    out["png_animated.pixels"] = np.asarray(RGB)
    save_file(out, args.out)
    print(f"{args.out}: {len(out)} arrays")


if __name__ == "__main__":
    main()
