"""losses.py - what a step minimises: classification, start and angle, line IoU, auxiliary segmentation."""

import torch
import torch.nn.functional as F

from .assign import assign, overlap
from .head import STRIPS, WIDTH

WEIGHTS = {'cls': 2.0, 'start': 0.2, 'iou': 2.0, 'seg': 1.0}  # of the reference's CULane configuration
LINE = 15.0 / 800  # half breadth of a line in the segmentation, as a share of the width


def focal(logits, positive):
    """Focal loss [B, P] of two-class logits; alpha 0.25, gamma 2, both classes weighed alike, as in the reference."""
    log = F.log_softmax(logits, -1)
    log = torch.where(positive, log[..., 1], log[..., 0])
    return -0.25 * (1 - log.exp()) ** 2 * log


def mean_where(value, mask):
    """Mean of value [B, P] over mask, picture by picture, then over the pictures that have any."""
    count = mask.sum(1)
    each = torch.where(mask, value, torch.zeros_like(value)).sum(1) / count.clamp(min=1)
    return each.sum() / len(each)


def stage_loss(pred, lanes):
    """The three losses of one stage's predictions [B, P, 78]."""
    index = assign(pred, lanes)
    positive = index >= 0
    mine = torch.gather(lanes, 1, index.clamp(min=0)[..., None].expand(-1, -1, lanes.shape[2]))
    count = lanes[..., 0].sum(1).clamp(min=1)
    cls = (focal(pred[..., :2], positive).sum(1) / count).mean()
    scale = torch.tensor([STRIPS, WIDTH - 1.0, 180.0, STRIPS], device=pred.device)
    late = (pred[..., 2].detach() * STRIPS).round().clamp(0, STRIPS) - (mine[..., 1] * STRIPS).round()
    wanted = mine[..., 1:5] * scale
    wanted = torch.cat([wanted[..., :3], wanted[..., 3:] - late[..., None]], -1)
    start = F.smooth_l1_loss(pred[..., 2:6] * scale, wanted, reduction='none').mean(-1)
    x, y = pred[..., 6:] * (WIDTH - 1), mine[..., 5:] * (WIDTH - 1)
    x = torch.where(positive[..., None], x, torch.zeros_like(x))
    iou = 1 - overlap(x, y, (y >= 0) & (y < WIDTH))
    return {'cls': cls, 'start': mean_where(start, positive), 'iou': mean_where(iou, positive)}


def segmentation(lanes, classes, height, width):
    """Class map [B, height, width] of the lanes [B, T, 77]; classes [B, T] in 0..4."""
    x = lanes[..., 5:].flip(-1)  # top row first
    rows = ((torch.arange(height, device=x.device) + 0.5) / height * STRIPS).round().long()
    x = x[..., rows]
    columns = (torch.arange(width, device=x.device) + 0.5) / width
    inside = (x[..., None] - columns).abs() < max(LINE, 0.5 / width)
    return (inside * classes[..., None, None]).amax(1).long()


def loss(stages, seg, lanes, classes, weight):
    """Total loss and its parts. stages: three [B, P, 78]; seg: logits [B, 5, h, w]; weight: of the classes."""
    parts = {'cls': 0.0, 'start': 0.0, 'iou': 0.0}
    for pred in stages:
        for name, value in stage_loss(pred, lanes).items():
            parts[name] = parts[name] + value / len(stages)
    parts['seg'] = F.cross_entropy(seg, segmentation(lanes, classes, *seg.shape[2:]), weight)
    return sum(WEIGHTS[k] * v for k, v in parts.items()), {k: v.detach() for k, v in parts.items()}
