#!/usr/bin/env python3
"""Writes drawn pictures as files, to calibrate on, and their lanes beside them, for `lanert val --dataset culane`.

Lanes are in pixels of CULane's 1640x590 picture, which that reads, whatever the size of the picture drawn.
"""

import argparse
import os

import torch

import evaluate
from road import picture, renderer

CULANE = (1640, 590)


def drawn(drawer, seed, number):
    """A picture [3, H * 3 / 2, W] for a drawer of H by W, and its lanes as shares of it.

    What the preset cuts away repeats the first row of what is drawn.
    """
    shown, targets = drawer.batch(seed, torch.tensor([number]))
    above = shown[0, :, :1].expand(-1, drawer.height // 2, -1)
    return torch.cat([above, shown[0]], 1), evaluate.wanted(targets[0].numpy())


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    ap.add_argument('folder', help='where to; pictures there of the same numbers are written anew')
    ap.add_argument('--seed', type=int, default=2026)
    ap.add_argument('--first', type=int, default=0, help='number of the first picture')
    ap.add_argument('--count', type=int, default=384)
    ap.add_argument('--size', default='800x320', help='of what the preset sees, the lower two thirds')
    a = ap.parse_args()
    width, height = map(int, a.size.split('x'))
    drawer = renderer.Renderer(width, height)
    os.makedirs(a.folder, exist_ok=True)
    for number in range(a.first, a.first + a.count):
        shown, lanes = drawn(drawer, a.seed, number)
        path = os.path.join(a.folder, f'{number:05}')
        picture.write_png(path + '.png', shown)
        with open(path + '.lines.txt', 'w') as f:
            for lane in lanes:
                f.write(' '.join(f'{x * CULANE[0]:.3f} {y * CULANE[1]:.3f}' for x, y in lane) + '\n')


if __name__ == '__main__':
    main()
