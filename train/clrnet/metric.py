"""metric.py - CULane's measure of lanes: 30 pixels broad at a width of 1640, matched one to one by overlap.

Drawn here at half that size, which changes an overlap by less than a hundredth; `lanert val` counts exactly.
"""

from functools import lru_cache

import numpy as np

SCALE = 0.5
WIDTH = int(1640 * SCALE)
RADIUS = 15 * SCALE

_around = np.arange(-int(RADIUS) - 1, int(RADIUS) + 2)
_dy, _dx = (a.ravel() for a in np.meshgrid(_around, _around, indexing='ij'))
_disc = _dy**2 + _dx**2 <= RADIUS**2
_dy, _dx = _dy[_disc], _dx[_disc]


def mask(lane, height):
    """Bool [height, WIDTH] of a lane, points [n, 2] in pixels of that canvas."""
    step = np.hypot(*np.diff(lane, axis=0).T)
    t = np.concatenate([[0], step.cumsum()])
    dense = np.arange(0, t[-1] + 1, 1.5)
    x, y = (np.interp(dense, t, lane[:, i]).astype(int) for i in (0, 1))
    x, y = (x[:, None] + _dx).ravel(), (y[:, None] + _dy).ravel()
    inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < height)
    out = np.zeros((height, WIDTH), bool)
    out[y[inside], x[inside]] = True
    return out


def overlaps(found, wanted, ratio):
    """IoU [len(found), len(wanted)] of lanes whose x and y are shares of a picture with height / width = ratio."""
    height = int(round(WIDTH * ratio))
    masks = [[mask(lane * (WIDTH, height), height).ravel() for lane in lanes] for lanes in (found, wanted)]
    iou = np.zeros((len(found), len(wanted)))
    for i, a in enumerate(masks[0]):
        for j, b in enumerate(masks[1]):
            iou[i, j] = (a & b).sum() / max((a | b).sum(), 1)
    return iou


def match(iou):
    """Pairs (i, j) of the one-to-one matching with the greatest sum of overlaps; exact, for few lanes."""
    rows, columns = iou.shape

    @lru_cache(None)
    def best(i, used):
        if i == rows:
            return 0.0, ()
        sum_, pairs = best(i + 1, used)
        for j in range(columns):
            if not used >> j & 1:
                s, p = best(i + 1, used | 1 << j)
                if s + iou[i, j] > sum_:
                    sum_, pairs = s + iou[i, j], ((i, j),) + p
        return sum_, pairs

    return best(0, 0)[1]


class Count:
    """True and false positives and misses at several thresholds."""

    def __init__(self, thresholds=(0.5, 0.75)):
        self.thresholds, self.pictures, self.found, self.wanted = thresholds, 0, 0, 0
        self.true = {t: 0 for t in thresholds}

    def add(self, found, wanted, ratio):
        iou = overlaps(found, wanted, ratio)
        pairs = match(iou)
        self.pictures += 1
        self.found += len(found)
        self.wanted += len(wanted)
        for t in self.thresholds:
            self.true[t] += sum(iou[i, j] > t for i, j in pairs)

    def f1(self, threshold):
        return 2 * self.true[threshold] / max(self.found + self.wanted, 1)

    def figures(self):
        """A dict of plain numbers for the log."""
        out = {'pictures': self.pictures, 'lanes': self.wanted, 'found': self.found}
        for t in self.thresholds:
            out[f'f1@{t}'] = round(float(self.f1(t)), 4)
        return out | {
            'precision': round(float(self.true[0.5] / max(self.found, 1)), 4),
            'recall': round(float(self.true[0.5] / max(self.wanted, 1)), 4),
        }
