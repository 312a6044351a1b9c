#!/usr/bin/env python3
"""Measures the lanes of a video, as `lanert detect -o LANES.jsonl` leaves them, where nobody labelled it.

Two figures: the share of frames in which both lines of the own lane are found, and the share of frames in which some lane
has jumped since the frame before. Where the own lane's lines cross one row of the picture is for a person to say, once
for a video whose car keeps its lane.
"""

import argparse
import json

import numpy as np


def crossing(lane, y):
    """x where a lane, its ends carried on straight, crosses row y; NaN where it is a point."""
    points = np.array(sorted(lane['points'], key=lambda p: p[1]))
    if len(points) < 2:
        return float('nan')
    i = int(np.clip(np.searchsorted(points[:, 1], y), 1, len(points) - 1))
    (x0, y0), (x1, y1) = points[i - 1], points[i]
    return float(x0 + (x1 - x0) * (y - y0) / (y1 - y0))


def own_lane(frame, row, left, right):
    """Whether lanes cross row (a share of the height) within left and within right (shares of the width)."""
    x = [crossing(lane, row * frame['height']) / frame['width'] for lane in frame['lanes']]
    return all(any(low <= v <= high for v in x) for low, high in (left, right))


def apart(a, b):
    """Mean distance of two lanes across, in pixels, over the rows that both have; infinite where they are few."""
    a, b = (np.array(sorted(lane['points'], key=lambda p: p[1])) for lane in (a, b))
    top, bottom = max(a[0, 1], b[0, 1]), min(a[-1, 1], b[-1, 1])
    if bottom - top < 0.3 * max(a[-1, 1] - a[0, 1], b[-1, 1] - b[0, 1]):
        return float('inf')
    rows = np.linspace(top, bottom, 20)
    return float(np.abs(np.interp(rows, a[:, 1], a[:, 0]) - np.interp(rows, b[:, 1], b[:, 0])).mean())


def jumps(before, after, pixels):
    """Whether a lane moved by more than that: two lanes, each the other's nearest, that lie further apart."""
    if not before['lanes'] or not after['lanes']:
        return False
    far = np.array([[apart(a, b) for b in after['lanes']] for a in before['lanes']])
    pairs = [(i, int(far[i].argmin())) for i in range(len(far))]
    return any(pixels < far[i, j] < np.inf for i, j in pairs if int(far[:, j].argmin()) == i)


def share(text):
    low, high = map(float, text.split(':'))
    return low, high


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('lanes', help='JSON lines')
    ap.add_argument('--row', type=float, default=0.85, help='share of the height')
    ap.add_argument('--left', type=share, required=True, metavar='LOW:HIGH', help='shares of the width')
    ap.add_argument('--right', type=share, required=True, metavar='LOW:HIGH')
    ap.add_argument('--pixels', type=float, default=40, help='the least jump')
    a = ap.parse_args()
    with open(a.lanes) as f:
        frames = [json.loads(line) for line in f]
    found = [own_lane(frame, a.row, a.left, a.right) for frame in frames]
    jumped = [jumps(*pair, a.pixels) for pair in zip(frames, frames[1:])]
    print(json.dumps({
        'frames': len(frames),
        'own_lane': round(float(np.mean(found)), 4),
        'jumps': round(float(np.mean(jumped)), 4) if jumped else 0.0,
        'lanes': round(float(np.mean([len(frame['lanes']) for frame in frames])), 2),
    }))


if __name__ == '__main__':
    main()
