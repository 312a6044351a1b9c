"""texture.py - tileable noise, made once, sampled with wrap-around."""

import functools

import torch
import torch.nn.functional as F

SIZE = 256  # texels on a side
CHANNELS = 4  # independent fields, so that one look-up serves several uses


class Noise:
    """Value noise of two octaves as [1, CHANNELS, SIZE + 1, SIZE + 1], about uniform in 0..1."""

    def __init__(self, device, seed=7):
        g = torch.Generator().manual_seed(seed)
        field = torch.zeros(CHANNELS, SIZE, SIZE)
        for step, weight in ((1, 0.35), (4, 0.65)):
            cells = torch.rand(CHANNELS, SIZE // step, SIZE // step, generator=g)
            padded = F.pad(cells[None], (1, 2, 1, 2), mode='circular')
            up = F.interpolate(padded, scale_factor=step, mode='bicubic', align_corners=False) if step > 1 else padded
            field += weight * up[0, :, step : step + SIZE, step : step + SIZE]
        rank = field.flatten(1).argsort(1).argsort(1).float() / (SIZE * SIZE - 1)
        field = rank.reshape(1, CHANNELS, SIZE, SIZE)
        self.table = F.pad(field, (0, 1, 0, 1), mode='circular').to(device)

    def at(self, x, y):
        """Fields at x, y [B, H, W] in cells of the coarse octave (4 texels): [B, CHANNELS, H, W] in 0..1."""
        look_up = apart if x.device.type == 'cpu' else looked_up
        return look_up(self.table, x, y)


def looked_up(table, x, y):
    scale = 4.0 / SIZE
    grid = torch.stack([x * scale, y * scale], -1)
    grid = (grid - torch.floor(grid)) * 2 - 1
    table = table.expand(x.shape[0], -1, -1, -1)
    return F.grid_sample(table, grid, mode='bilinear', padding_mode='border', align_corners=True)


# What PyTorch compiles of grid_sample for the CPU takes two to three times as long as its own.
apart = torch.compiler.disable(looked_up) if hasattr(torch, 'compiler') else looked_up


class Fusion:
    """Whether fused functions are compiled; set by the renderer that draws."""

    on = False


def fused(function):
    """Marks a function of tensors whose steps a compiler should join, where Fusion.on.

    Each is compiled by itself and called for every wall or vehicle: one graph of all of them takes minutes to compile.
    """

    @functools.wraps(function)
    def call(*arguments):
        if not Fusion.on:
            return function(*arguments)
        if call.compiled is None:
            call.compiled = torch.compile(function, dynamic=False)
        return call.compiled(*arguments)

    call.compiled = None
    return call


def item(g, prefix, i):
    """The i-th of the things whose fields begin with prefix, without it."""
    return {k[len(prefix) :]: v[:, i] for k, v in g.items() if k.startswith(prefix)}


def chosen(here, new, old):
    """new where here is set, else old; here [B, ...] may lack their last axes."""
    return torch.where(here.reshape(*here.shape, *[1] * (old.dim() - here.dim())) > 0, new, old)


def absent(amount):
    """Whether nothing in the batch has any of it, so that drawing it can be left out.

    Asked on the CPU only: on a GPU the answer would cost more than the drawing. Compiled code cannot ask, its callers can.
    """
    if amount.device.type != 'cpu' or (Fusion.on and torch.compiler.is_compiling()):
        return False
    return not bool(amount.any())


def smooth(x):
    """The cubic step from 0 at x <= 0 to 1 at x >= 1."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def blend(below, above, alpha):
    """Colours [B, 3, H, W] mixed by alpha [B, H, W]."""
    return below + (above - below) * alpha[:, None]


def per_pixel(x):
    """[B] to [B, 1, 1]; [B, 3] to [B, 3, 1, 1]."""
    return x[(...,) + (None, None)]


def band(x, centre, width, footprint):
    """Share of a pixel of the given footprint at x that lies in the band [centre ± width/2]."""
    reach = (width + footprint) / 2 - (x - centre).abs()
    return (reach / footprint).clamp(min=0).minimum((width / footprint).clamp(max=1))


def dashes(x, period, duty, footprint):
    """Share of a pixel at x covered by dashes that fill the first duty (0..1) of each period."""

    def covered(t):
        whole = torch.floor(t)
        return whole * duty + torch.minimum(t - whole, duty)

    half = footprint / (2 * period)
    t = x / period
    return ((covered(t + half) - covered(t - half)) / (2 * half)).clamp(0, 1)
