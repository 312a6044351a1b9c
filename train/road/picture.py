"""picture.py - pictures in and out of files, and lanes drawn over them, without further packages."""

import struct
import subprocess
import zlib

import numpy as np
import torch

COLOURS = ((0, 255, 0), (0, 160, 255), (255, 120, 0), (255, 0, 255), (0, 255, 255), (255, 255, 0))  # BGR


def write_png(path, picture):
    """A BGR picture [3, H, W] in 0..1 as a PNG."""
    rgb = (picture.flip(0).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    height, width, _ = rgb.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), rgb.reshape(height, width * 3)], 1).tobytes()
    chunk = lambda tag, body: struct.pack('>I', len(body)) + tag + body + struct.pack('>I', zlib.crc32(tag + body))
    with open(path, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)))
        f.write(chunk(b'IDAT', zlib.compress(rows, 6)) + chunk(b'IEND', b''))


def dots(picture, x, y, colour, radius=0):
    """A copy of picture [3, H, W] with square dots of a BGR colour at x, y (shares of the picture, numpy)."""
    out = picture.clone()
    _, height, width = out.shape
    shade = torch.tensor(colour, device=out.device)[:, None] / 255
    x, y = (torch.from_numpy(np.floor(v * n).astype(np.int64)) for v, n in ((x, width), (y, height)))
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            inside = (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
            out[:, (y + dy)[inside], (x + dx)[inside]] = shade
    return out


def annotate(picture, lanes):
    """A copy of picture [3, H, W] with the targets [L, 5 + 72] drawn as dots."""
    rows = np.linspace(1, 0, lanes.shape[1] - 5)
    for i, lane in enumerate(lanes.cpu().numpy()):
        if lane[0] > 0:
            inside = lane[5:] > -1
            picture = dots(picture, lane[5:][inside], rows[inside], COLOURS[i % len(COLOURS)], picture.shape[2] // 800)
    return picture


def read(path):
    """Any picture file as BGR uint8 [H, W, 3]: with OpenCV or Pillow where installed, else with the ffmpeg program."""
    try:
        import cv2

        picture = cv2.imread(path, cv2.IMREAD_COLOR)
        if picture is None:
            raise OSError(f'{path}: not a picture')
        return picture
    except ImportError:
        pass
    try:
        from PIL import Image

        return np.ascontiguousarray(np.asarray(Image.open(path).convert('RGB'))[..., ::-1])
    except ImportError:
        pass
    pnm = subprocess.run(
        [
            'ffmpeg',
            '-v',
            'error',
            '-i',
            path,
            '-frames:v',
            '1',
            '-f',
            'image2pipe',
            '-c:v',
            'ppm',
            '-pix_fmt',
            'rgb24',
            '-',
        ],
        check=True,
        capture_output=True,
    ).stdout
    _, size, _, pixels = pnm.split(b'\n', 3)
    width, height = map(int, size.split())
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[..., ::-1].copy()
