"""head.py - cross-layer refinement: priors sample the maps, attend to them and become lanes, in three stages.

Raw predictions are [B, P, 78]: 2 logits, start_y, start_x, theta, length, 72 x, as the reference's.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .backbone import Conv

PRIORS, POINTS, ROWS, STAGES = 192, 36, 72, 3
STRIPS = ROWS - 1
WIDTH, HEIGHT = 800, 320  # of the reference's input; a line's angle is measured in it, whatever the picture's size
CLASSES = 5  # of the auxiliary segmentation: ground and four lanes


def embeddings(count):
    """The priors' first start_y, start_x, theta: from the left, the bottom and the right edge."""
    left, bottom = count // 8, count * 3 // 4
    rise, step = 0.5 / max(left // 2 - 1, 1), 1 / (bottom // 4 + 1)
    rows = [((i // 2) * rise, 0.0, 0.32 if i % 2 else 0.16) for i in range(left)]
    rows += [(0.0, (i // 4 + 1) * step, 0.2 * (i % 4 + 1)) for i in range(bottom)]
    rows += [((i // 2) * rise, 1.0, 0.84 if i % 2 else 0.68) for i in range(count - left - bottom)]
    return torch.tensor(rows)


def straight(start_y, start_x, theta, prior_ys):
    """x [..., 72] of straight lines; all normalised, theta in units of pi."""
    rise = 1 - prior_ys - start_y[..., None]
    return (start_x[..., None] * (WIDTH - 1) + rise * HEIGHT / torch.tan(theta[..., None] * math.pi + 1e-5)) / (
        WIDTH - 1
    )


class Gather(nn.Module):
    """Features of the priors, from points along them and from attention over the whole map."""

    def __init__(self, priors, channels=64, middle=48):
        super().__init__()
        self.f_key = Conv(channels, channels, 1, norm=True)
        self.f_query = nn.Sequential(nn.Conv1d(priors, priors, 1, groups=priors), nn.ReLU())
        self.f_value = nn.Conv2d(channels, channels, 1)
        self.W = nn.Conv1d(priors, priors, 1, groups=priors)
        nn.init.zeros_(self.W.weight)
        nn.init.zeros_(self.W.bias)
        self.convs = nn.ModuleList(Conv(channels, middle, (9, 1), (4, 0), norm=True) for _ in range(STAGES))
        self.catconv = nn.ModuleList(Conv(middle * (i + 1), channels, (9, 1), (4, 0), norm=True) for i in range(STAGES))
        self.fc = nn.Linear(POINTS * channels, channels)
        self.fc_norm = nn.LayerNorm(channels)

    def join(self, kept, feature, stage, chosen):
        """kept: what convs gave in this stage and those before; chosen: the priors in use, or None for all."""
        roi = self.catconv[stage](torch.cat(kept, 1))
        batch, channels, points, priors = roi.shape
        roi = roi.permute(0, 3, 1, 2).reshape(batch, priors, channels * points)
        roi = F.relu(self.fc_norm(self.fc(roi).float()))
        scale = lambda conv: [
            t.flatten()[:, None] if chosen is None else t.flatten()[chosen][:, None] for t in (conv.weight, conv.bias)
        ]
        weight, bias = scale(self.f_query[0])
        query = F.relu(roi * weight + bias)
        key = F.interpolate(self.f_key(feature), (10, 25)).flatten(2)
        value = F.interpolate(self.f_value(feature), (10, 25)).flatten(2)
        near = F.softmax(torch.matmul(query, key) * channels**-0.5, -1)
        weight, bias = scale(self.W)
        context = torch.matmul(near, value.transpose(1, 2)) * weight + bias
        return roi + F.dropout(context, 0.1, self.training)


def tower(width):
    return nn.ModuleList(m for _ in range(2) for m in (nn.Linear(width, width), nn.ReLU()))


class SegDecoder(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.dropout = nn.Dropout2d(0.1)
        self.conv = nn.Conv2d(inputs, CLASSES, 1)

    def forward(self, x):
        return self.conv(self.dropout(x))


class Criterion(nn.Module):
    """Holds the class weights under the name the reference saves them with."""

    def __init__(self):
        super().__init__()
        self.register_buffer('weight', torch.tensor([0.4, 1, 1, 1, 1]))


class Head(nn.Module):
    def __init__(self, priors=PRIORS, channels=64):
        super().__init__()
        index = (torch.linspace(0, 1, POINTS) * STRIPS).long()
        self.register_buffer('sample_x_indexs', index)
        self.register_buffer('prior_feat_ys', torch.flip(1 - index.float() / STRIPS, [0]))
        self.register_buffer('prior_ys', torch.linspace(1, 0, ROWS))
        self.register_buffer('priors', torch.zeros(priors, 6 + ROWS))
        self.register_buffer('priors_on_featmap', torch.zeros(priors, POINTS))
        self.prior_embeddings = nn.Embedding(priors, 3)
        self.seg_decoder = SegDecoder(channels * STAGES)
        self.reg_modules, self.cls_modules = tower(channels), tower(channels)
        self.roi_gather = Gather(priors, channels)
        self.reg_layers, self.cls_layers = nn.Linear(channels, ROWS + 4), nn.Linear(channels, 2)
        self.criterion = Criterion()
        for p in (*self.reg_layers.parameters(), *self.cls_layers.parameters()):
            nn.init.normal_(p, 0, 1e-3)
        with torch.no_grad():
            self.prior_embeddings.weight.copy_(embeddings(priors))
        self.settle()

    def lines(self):
        """The priors [P, 78] that the embeddings stand for, and their x at the sampled points [P, 36]."""
        y, x, theta = self.prior_embeddings.weight.unbind(1)
        xs = straight(y, x, theta, self.prior_ys.float())
        none = torch.zeros_like(y)
        return torch.cat([torch.stack([none, none, y, x, theta, none], 1), xs], 1), xs[:, self.sample_x_indexs]

    @torch.no_grad()
    def settle(self):
        """Makes the stored priors, which inference reads, those of the embeddings."""
        priors, points = self.lines()
        self.priors.copy_(priors)
        self.priors_on_featmap.copy_(points)

    def sample(self, feature, points):
        """Features [B, C, POINTS, P] along the priors, whose x are points [B, P, POINTS], bottom first."""
        xs = points.flip(2).transpose(1, 2)
        ys = self.prior_feat_ys[None, :, None].expand_as(xs)
        # Far outside the picture every sample is zero, but a float16 or integer grid would overflow.
        grid = torch.stack([xs.clamp(-4, 5), ys], -1) * 2 - 1
        return F.grid_sample(feature.float(), grid.float(), align_corners=True)

    def forward(self, maps, chosen=None):
        """maps: strides 8, 16, 32. Returns the stages' predictions [B, P, 78] and the segmentation's logits."""
        maps = maps[::-1]
        batch = maps[0].shape[0]
        priors, points = self.lines() if self.training else (self.priors, self.priors_on_featmap)
        if chosen is not None:
            priors, points = priors[chosen], points[chosen]
        priors, points = priors.expand(batch, -1, -1), points.expand(batch, -1, -1)
        kept, stages = [], []
        for stage in range(STAGES):
            kept.append(self.roi_gather.convs[stage](self.sample(maps[stage], points)))
            feature = self.roi_gather.join(kept, maps[stage], stage, chosen)
            cls, reg = feature, feature
            for a, b in zip(self.cls_modules, self.reg_modules):
                cls, reg = a(cls), b(reg)
            with torch.autocast(feature.device.type, enabled=False):  # angles and x need all of float32
                cls, reg = self.cls_layers(cls.float()), self.reg_layers(reg.float())
                start = priors[..., 2:5] + reg[..., :3]
                xs = straight(start[..., 0], start[..., 1], start[..., 2], self.prior_ys.float())
                body = torch.cat([cls, start, reg[..., 3:4]], -1)
                stages.append(torch.cat([body, xs + reg[..., 4:]], -1))
                priors = torch.cat([body, xs], -1).detach()
                points = xs[..., self.sample_x_indexs].detach()
        if not self.training:
            return stages, None
        size = maps[-1].shape[2:]
        stack = torch.cat([F.interpolate(m, size=size, mode='bilinear', align_corners=False) for m in maps], 1)
        return stages, self.seg_decoder(stack).float()
