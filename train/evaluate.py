#!/usr/bin/env python3
"""Measures a checkpoint on drawn roads of other seeds and on folders of labelled pictures; draws what it finds."""

import argparse
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

from clrnet import decode, metric, model
from road import labels as labels_
from road import picture as pictures_
from road.geometry import CUT
from road.renderer import Renderer

VALIDATION_SEED = 1_000_003  # never a training seed: train.py refuses it
RATIO = 9 / 16  # of the pictures that drawn lanes are measured on
EXTENSIONS = ('.jpg', '.jpeg', '.png')


def whole(points):
    """Points of the network's input as shares of the whole picture."""
    return np.stack([points[:, 0], points[:, 1] * (1 - CUT) + CUT], 1)


def wanted(targets):
    """The lanes of one drawn picture's targets [L, 77]."""
    rows = np.linspace(1, 0, targets.shape[1] - 5)
    return [whole(np.stack([t[5:], rows], 1)[t[5:] > -1]) for t in targets if t[0] > 0]


@torch.no_grad()
def raw(net, batch, size):
    """Raw predictions [B, P, 78] as numpy of pictures [B, 3, H, W] brought to size (width, height)."""
    if (batch.shape[3], batch.shape[2]) != size:
        batch = F.interpolate(batch, (size[1], size[0]), mode='bilinear', align_corners=False)
    return net(batch)[0][-1].float().cpu().numpy()


def count(cases, confidences):
    """A metric.Count for each confidence over cases of (raw predictions, true lanes, height / width)."""
    tallies = {c: metric.Count() for c in confidences}
    for prediction, truth, ratio in cases:
        for confidence, tally in tallies.items():
            tally.add([whole(p) for _, p in decode.lanes(prediction, confidence)], truth, ratio)
    return tallies


def drawn(net, size, number, device, batch=16, seed=VALIDATION_SEED):
    """Cases of drawn pictures 0 to number - 1."""
    drawer = Renderer(*size, device)
    for start in range(0, number, batch):
        shown, targets = drawer.batch(seed, torch.arange(start, min(start + batch, number)))
        for prediction, target in zip(raw(net, shown, size), targets.cpu().numpy()):
            yield prediction, wanted(target), RATIO


def prepared(path, size):
    """The network's input [1, 3, H, W] for a picture file, made as lanert makes it, and the picture's width and height."""
    pixels = torch.from_numpy(pictures_.read(path)).permute(2, 0, 1)[None].float() / 255
    height, width = pixels.shape[2:]
    cut = pixels[:, :, int(CUT * height) :]
    shown = F.interpolate(cut, (labels_.HEIGHT, labels_.WIDTH), mode='bilinear', align_corners=False)
    if size != (labels_.WIDTH, labels_.HEIGHT):
        shown = F.interpolate(shown, (size[1], size[0]), mode='area')
    return shown, (width, height)


def labels(path, width, height):
    """Lanes of a CULane label file as shares of the picture."""
    lanes = []
    with open(path) as f:
        for line in f:
            numbers = np.array(line.split(), float).reshape(-1, 2)
            if len(numbers) > 1:
                lanes.append(numbers / (width, height))
    return lanes


def folder(net, path, size, device, show=None, confidence=decode.CONFIDENCE):
    """Cases of a folder's labelled pictures; with show, every picture is written there with its lanes."""
    for name in sorted(os.listdir(path)):
        stem, extension = os.path.splitext(name)
        if extension.lower() not in EXTENSIONS:
            continue
        shown, (width, height) = prepared(os.path.join(path, name), size)
        prediction = raw(net, shown.to(device), size)[0]
        label = os.path.join(path, stem + '.lines.txt')
        truth = labels(label, width, height) if os.path.exists(label) else None
        if show:
            os.makedirs(show, exist_ok=True)
            found = [whole(p) for _, p in decode.lanes(prediction, confidence)]
            pictures_.write_png(os.path.join(show, stem + '.png'), overlay(shown[0], found, truth or []))
        if truth is not None:
            yield prediction, truth, height / width


def detected(path, folder):
    """A metric.Count of the lanes that `lanert detect FOLDER -o lanes.jsonl` found, over the folder's labelled pictures."""
    tally = metric.Count()
    with open(path) as f:
        for frame in map(json.loads, f):
            label = os.path.join(folder, os.path.splitext(frame['file'])[0] + '.lines.txt')
            width, height = frame['width'], frame['height']
            if os.path.exists(label):
                found = [np.array(lane['points']) / (width, height) for lane in frame['lanes'] if len(lane['points']) > 1]
                tally.add(found, labels(label, width, height), height / width)
    return tally


def overlay(shown, found, truth):
    """The network's input with the labels as thin white dots and what was found in colours."""
    for lanes, colours, radius in ((truth, ((255, 255, 255),), 0), (found, pictures_.COLOURS, 1)):
        for i, lane in enumerate(lanes):
            shown = pictures_.dots(shown, lane[:, 0], (lane[:, 1] - CUT) / (1 - CUT), colours[i % len(colours)], radius)
    return shown


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('checkpoint', help='or lanes.jsonl, what `lanert detect FOLDER -o lanes.jsonl` found, with --folder')
    ap.add_argument('--drawn', type=int, default=0, metavar='N', help='measure on N drawn pictures')
    ap.add_argument('--seed', type=int, default=VALIDATION_SEED, help='of the drawn pictures (default: %(default)s)')
    ap.add_argument('--folder', action='append', default=[], help='pictures, with .lines.txt beside them where known')
    ap.add_argument('--show', metavar='DIR', help="write each folder's pictures with their lanes below DIR")
    ap.add_argument('--size', default='800x320', help="the network's input, width x height")
    ap.add_argument('--conf', type=float, nargs='+', default=[decode.CONFIDENCE], help='confidences to measure at')
    ap.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    a = ap.parse_args()
    size = tuple(map(int, a.size.split('x')))
    if a.checkpoint.endswith('.jsonl'):
        for path in a.folder:
            print(json.dumps({'set': os.path.basename(os.path.normpath(path))} | detected(a.checkpoint, path).figures()))
        return
    net = model.load(a.checkpoint).to(a.device)
    sets = [('drawn', drawn(net, size, a.drawn, a.device, seed=a.seed))] if a.drawn else []
    for path in a.folder:
        name = os.path.basename(os.path.normpath(path))
        show = os.path.join(a.show, name) if a.show else None
        sets.append((name, folder(net, path, size, a.device, show, a.conf[0])))
    for name, cases in sets:
        for confidence, tally in count(cases, a.conf).items():
            if not tally.pictures:
                continue
            print(json.dumps({'set': name, 'conf': confidence} | tally.figures()), flush=True)


if __name__ == '__main__':
    main()
