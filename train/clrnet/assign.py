"""assign.py - which priors answer for which lane (dynamic top-k of the reference, a whole batch at once)."""

import torch

from .head import HEIGHT, STRIPS, WIDTH

CANDIDATES = 4  # of the reference: at most this many priors a lane
RADIUS = 10.0  # half a lane's breadth in pixels of the 800 wide input
STEEP = 4.0  # slope beyond which the breadth grows no more


def breadth(x):
    """Half breadth along x [..., 72] in pixels: a line's breadth is measured across it (LaneIoU of CLRerNet)."""
    dx = (x[..., 2:] - x[..., :-2]) / (2 * HEIGHT / STRIPS)
    dx = torch.cat([dx[..., :1], dx, dx[..., -1:]], -1)
    return RADIUS * torch.sqrt(1 + dx.clamp(-STEEP, STEEP) ** 2)


def overlap(pred, target, valid):
    """IoU of lines, over rows that are valid; negative where they are apart. All [..., 72], x in pixels."""
    rp, rt = breadth(pred.detach()), breadth(torch.where(valid, target, pred.detach()))
    common = torch.minimum(pred + rp, target + rt) - torch.maximum(pred - rp, target - rt)
    whole = torch.maximum(pred + rp, target + rt) - torch.minimum(pred - rp, target - rt)
    zero = torch.zeros_like(common)
    return torch.where(valid, common, zero).sum(-1) / (torch.where(valid, whole, zero).sum(-1) + 1e-9)


def nearness(distance, real):
    """Distances [B, P, T] as 1.01 for none down to 0.01 for the picture's greatest."""
    most = (distance * real).amax((1, 2), keepdim=True)
    return 1 - distance / (most + 1e-9) + 1e-2


@torch.no_grad()
def assign(pred, lanes):
    """Index of the lane [B, P] each prior answers for, -1 for none.

    pred [B, P, 78] raw, lanes [B, T, 77] as labels.py makes them.
    """
    x, y = pred[:, :, None, 6:] * (WIDTH - 1), lanes[:, None, :, 5:] * (WIDTH - 1)
    real = lanes[:, None, :, 0]
    valid = (y >= 0) & (y < WIDTH)
    gap = torch.where(valid, (x - y).abs(), torch.zeros_like(x)).sum(-1) / (valid.sum(-1) + 1e-9)
    scale = torch.tensor([HEIGHT - 1.0, WIDTH - 1.0], device=pred.device)
    start = ((pred[:, :, None, 2:4] - lanes[:, None, :, 1:3]) * scale).pow(2).sum(-1).sqrt()
    angle = (pred[:, :, None, 4] - lanes[:, None, :, 3]).abs() * 180
    p = pred[..., 1].sigmoid()
    wanted = -(p + 1e-12).log() * 0.25 * (1 - p) ** 2 + (1 - p + 1e-12).log() * 0.75 * p**2
    cost = -3 * (nearness(gap, real) * nearness(start, real) * nearness(angle, real)) ** 2 + wanted[..., None]
    cost = torch.where(torch.isfinite(cost), cost, torch.full_like(cost, 1e6))
    iou = overlap(x, y.expand(-1, x.shape[1], -1, -1), valid.expand(-1, x.shape[1], -1, -1)).clamp(min=0)
    iou = torch.where(torch.isfinite(iou), iou, torch.zeros_like(iou))
    few = min(CANDIDATES, pred.shape[1])
    number = iou.topk(few, 1).values.sum(1).int().clamp(min=1)  # [B, T]
    best = cost.topk(few, 1, largest=False).indices  # [B, few, T]
    taken = (torch.arange(few, device=pred.device)[:, None] < number[:, None]) & (real > 0)
    match = torch.zeros_like(cost).scatter(1, best, taken.to(cost.dtype)) > 0
    lowest = torch.where(match, cost, torch.full_like(cost, 1e9)).min(-1)
    return torch.where(match.any(-1), lowest.indices, torch.full_like(lowest.indices, -1))
