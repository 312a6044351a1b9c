"""labels.py - lane lines in the form CLRNet is trained on.

A target is [flag, start_y, start_x, theta, length, 72 x]: flag 1 where there is a lane; start_y the share of
rows (of 71) below the first row inside the picture; start_x and the x in 0..1 over the width, bottom row first, far
outside 0..1 where the lane has none; theta the mean angle to the start, in units of pi; length in rows / 71.
The reference's generate_lane_line.py makes the same of a label file.
"""

import math

import torch

from . import geometry, layout

ROWS = 72
STRIPS = ROWS - 1
COLUMNS = 5 + ROWS
MAX_LANES = 6
NONE = -1e3
WIDTH, HEIGHT = 800, 320  # the network's own size, in which theta is an angle


def at_rows(px, py, seen):
    """x of polylines [B, L, N] (near to far) at the 72 rows [B, L, 72]; NONE above the last seen point.

    Below the first point the line goes on straight, as the reference's extrapolation does.
    """
    rows = torch.linspace(1, 0, ROWS, device=px.device).expand(*px.shape[:2], ROWS).contiguous()
    top = torch.where(seen, py, torch.full_like(py, 9.0)).amin(-1, keepdim=True)
    falling = torch.cummin(torch.where(seen, py, torch.full_like(py, 9.0)).clamp(max=9.0), -1).values
    falling = falling - torch.arange(px.shape[-1], device=px.device) * 1e-6  # strictly, for the search
    index = torch.searchsorted(-falling.contiguous(), -rows).clamp(1, px.shape[-1] - 1)
    pick = lambda t, i: torch.gather(t, -1, i)
    y0, y1, x0, x1 = pick(falling, index - 1), pick(falling, index), pick(px, index - 1), pick(px, index)
    x = x0 + (x1 - x0) * (y0 - rows) / (y0 - y1).clamp(min=1e-7)
    return torch.where(rows >= top, x, torch.full_like(x, NONE))


def targets(x, valid):
    """Targets [B, L, COLUMNS] of x [B, L, 72] where valid [B, L]."""
    inside = (x >= 0) & (x < 1)
    first = torch.argmax(inside.to(torch.int64), -1)
    rows = torch.arange(ROWS, device=x.device)
    # The lane is its first unbroken stretch inside the picture.
    started = rows >= first[..., None]
    broken = (started & ~inside).to(torch.int64).cumsum(-1) > 0
    kept = started & ~broken
    length = kept.sum(-1)
    valid = valid & (length >= 4)
    start_x = torch.gather(x, -1, first[..., None])
    rise = (rows - first[..., None]) * (HEIGHT / STRIPS)
    angle = torch.atan2(rise.to(x.dtype), (x - start_x) * WIDTH + 1e-5) / math.pi
    later = kept & (rows > first[..., None])
    theta = torch.where(later, angle, torch.zeros_like(angle)).sum(-1) / later.sum(-1).clamp(min=1)
    head = torch.stack([valid.to(x.dtype), first / STRIPS, start_x[..., 0], theta, length / STRIPS], -1)
    out = torch.cat([head, torch.where(kept, x, torch.full_like(x, NONE))], -1)
    empty = torch.cat([torch.zeros(5, device=x.device), torch.full((ROWS,), NONE, device=x.device)])
    return torch.where(valid[..., None], out, empty)


def make(g):
    """Targets [B, MAX_LANES, COLUMNS] of a batch of scenes, lanes from left to right, empty ones last."""
    px, py, seen = geometry.lines(g, g['line_d'].clamp(max=1e3))
    keep = layout.labelled(g, g['line_painted']) > 0
    out = targets(at_rows(px, py, seen), keep)
    order = torch.argsort(1 - out[..., 0], dim=1, stable=True)[:, :MAX_LANES]
    return torch.gather(out, 1, order[..., None].expand(-1, -1, COLUMNS))


def side(lanes):
    """Class 1..4 of each lane for the auxiliary segmentation, as CULane numbers them: two left, two right."""
    bottom = lanes[..., 2] + (lanes[..., 1] * HEIGHT) / torch.tan(lanes[..., 3].clamp(0.02, 0.98) * -math.pi) / WIDTH
    right = (bottom > 0.5) & (lanes[..., 0] > 0)
    left = (bottom <= 0.5) & (lanes[..., 0] > 0)
    to_centre = left.flip(1).cumsum(1).flip(1)  # 1 for the nearest on the left
    from_centre = right.cumsum(1)
    return torch.where(left, (3 - to_centre).clamp(min=1), (2 + from_centre).clamp(max=4)) * (lanes[..., 0] > 0)
