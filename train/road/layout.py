"""layout.py - how many lanes, how wide, where the camera drives, and which lines are labelled."""

import torch

from .texture import fused

LINES = 8  # slots for lane lines; a road has 2 to 7
NOWHERE = 1e4  # d of an empty slot


def sample(dice, uneven=0.0):
    """Lanes are of one breadth, within 8 %; as uneven as CULane's and TuSimple's are on that share of the roads."""
    one = dice.stream('layout')
    divided = one.flag(0.66)
    own = 1 + one.choice((0.03, 0.25, 0.4, 0.32))
    single = 1 + one.choice((0.72, 0.22, 0.06))
    own = torch.where(divided > 0, own, single)
    oncoming = torch.where(divided > 0, torch.zeros_like(own), 1 + one.choice((0.75, 0.2, 0.05)))
    own = torch.minimum(own, 6 - oncoming)
    count = own + oncoming + 1  # lines
    narrow = one.flag(0.25)
    width = one.uniform(3.3, 3.9) * (1 - narrow) + one.uniform(2.75, 3.4) * narrow
    widths = width[:, None] * (1 + one.normal(0, 0.03, (LINES - 1,)).clamp(-0.08, 0.08))
    # Between the outer two of three lanes more often than chance: both neighbours are then to be seen.
    place = 0.5 + (one.uniform() - 0.5) * (1 - 0.5 * one.flag(0.6))
    lane = oncoming + torch.floor(place * own.float()).long()
    lane = torch.minimum(lane, count - 2)
    slot = torch.arange(LINES)
    widths = widths * unevenness(dice.stream('uneven'), slot[:-1] < lane[:, None], uneven)
    d = torch.cat([torch.zeros(len(width), 1), widths.cumsum(1)], 1)
    d = torch.where(slot < count[:, None], d, NOWHERE + slot.float())
    left = torch.gather(d, 1, lane[:, None])[:, 0]
    right = torch.gather(d, 1, lane[:, None] + 1)[:, 0]
    changing = one.flag(0.12)
    offset = one.normal(0.05, 0.09).clamp(-0.3, 0.3) * (1 - changing) + one.uniform(-0.5, 0.5) * changing
    return {
        'divided': divided,
        'oncoming': oncoming,
        'line_count': count,
        'line_d': d,
        'lane_width': width,
        'camera_d': (left + right) / 2 + offset * (right - left),
        'barrier_d': torch.full_like(width, -NOWHERE),  # lines to the left of it don't count
        'road_end': torch.gather(d, 1, count[:, None] - 1)[:, 0],
    }


def unevenness(dice, left, share):
    """Factors of the lanes' breadths on a share of the roads; those to the left of the own one are mostly narrower.

    left [B, LINES - 1] is true for these.
    """
    spread = dice.normal(0, 1, left.shape[1:]) * dice.pick((0.07, 0.2), (0.6, 0.4), left.shape[1:])
    here = dice.flag(share)[:, None]
    return (1 + spread.clamp(-0.4, 0.4) * here) * (1 - dice.uniform(0, 0.36, left.shape[1:]) * left * here)


def labelled(g, painted):
    """1.0 for the lines that count: those of the own lane and of its neighbours, as CULane and TuSimple label.

    None beyond a barrier.
    """
    camera, d = g['camera_d'][:, None], g['line_d']
    passed = ((camera - d[:, :-1]) / (d[:, 1:] - d[:, :-1])).clamp(0, 1).sum(1, keepdim=True)
    near = (torch.arange(LINES, device=d.device) - passed).abs() <= 2.03
    return painted * (near & (d > g['barrier_d'][:, None])).to(painted.dtype)


def nearest(g, d):
    """Index of the line nearest to d [B, H, W]: int64 of the same shape."""
    return above(d, (g['line_d'][:, 1:] + g['line_d'][:, :-1]) / 2)


@fused
def above(d, middles):
    """How many of middles [B, LINES - 1] lie below each d [B, H, W]."""
    index = torch.zeros_like(d, dtype=torch.int64)
    for k in range(LINES - 1):
        index = index + (d > middles[:, k, None, None]).to(torch.int64)
    return index


def at(table, index):
    """table [B, LINES] read at index [B, H, W]."""
    return torch.gather(table, 1, index.flatten(1)).reshape(index.shape)
