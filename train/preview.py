#!/usr/bin/env python3
"""Writes a contact sheet of drawn roads, with their labels, to look at."""

import argparse
import time

import torch

from road import renderer
from road.picture import annotate, write_png


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('out', help='PNG file to write')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--first', type=int, default=0, help='number of the first picture')
    ap.add_argument('--count', type=int, default=16)
    ap.add_argument('--columns', type=int, default=4)
    ap.add_argument('--size', default='400x160', help='width x height of each picture')
    ap.add_argument('--plain', action='store_true', help='without labels')
    a = ap.parse_args()
    width, height = map(int, a.size.split('x'))
    drawer = renderer.Renderer(width, height)
    start = time.time()
    pictures, lanes = drawer.batch(a.seed, torch.arange(a.first, a.first + a.count))
    took = time.time() - start
    if not a.plain:
        pictures = torch.stack([annotate(p, l) for p, l in zip(pictures, lanes)])
    blank = (-a.count) % a.columns
    pictures = torch.cat([pictures, pictures.new_zeros(blank, *pictures.shape[1:])])
    rows = [torch.cat(list(r), 2) for r in pictures.split(a.columns)]
    write_png(a.out, torch.cat(rows, 1))
    print(
        f'{a.out}: {a.count} pictures, {1000 * took / a.count:.0f} ms and '
        f'{float(lanes[..., 0].sum(1).mean()):.2f} lanes each'
    )


if __name__ == '__main__':
    main()
