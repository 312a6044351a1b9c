"""lens.py - between the scene and the file: bonnet, screen, exposure, colour, blur, noise, JPEG."""

import math

import torch
import torch.nn.functional as F

from .texture import absent, band, blend, dashes, fused, per_pixel, smooth


def sample(dice, g):
    one = dice.stream('lens')
    night = g['night']
    high = one.flag(0.35)  # the bonnet, or the dashboard, hides much of the road
    glossy = one.flag(0.4)  # dark, and mirrors the sky's edge and lamps
    soft = one.choice((0.66, 0.26, 0.08))
    cast = sodium(dice.stream('sodium'), night)
    return {
        'bonnet': one.flag(0.42),
        'bonnet_top': one.uniform(0.78, 0.99) - high * one.uniform(0.05, 0.36),
        'bonnet_bow': one.uniform(0.0, 0.35) + one.flag(0.5) * high * one.uniform(0, 0.9),
        'bonnet_colour': one.uniform(0.03, 0.6, (1,)) * (1 - 0.9 * glossy)[:, None] * (1 + one.normal(0, 0.06, (3,))),
        'bonnet_shine': one.uniform(0, 0.8) * (1 - 0.6 * glossy),
        'bonnet_lamps': glossy * night * one.flag(0.7) * one.uniform(0.5, 4),
        'bonnet_rate': one.log_uniform(2, 24),
        'screen': one.flag(0.25) * one.uniform(0.02, 0.22),
        'screen_shift': one.uniform(0, 60, (2,)),
        'drops': one.flag(0.07) * one.uniform(0.2, 0.8),
        'drop_rate': one.uniform(14, 40),
        'streaks': one.flag(0.05) * one.uniform(0.1, 0.5),
        'caption': one.flag(0.12),
        'caption_y': one.pick((0.94, 0.05, 0.9), (0.6, 0.2, 0.2)),
        'caption_x': one.uniform(0, 0.6),
        'vignette': one.uniform(0, 0.5) * one.flag(0.4),
        'exposure': one.uniform(0.26, 0.56) * (1 - night) + one.uniform(0.07, 0.42) * night,
        'adapt': one.uniform(0.65, 1.0),
        'gamma': one.uniform(1.7, 2.5),
        'contrast': one.normal(0.15, 0.3).clamp(-0.5, 0.8),
        'saturation': one.uniform(0.6, 1.6),
        'balance': (1 + one.normal(0, 1, (3,)) * (0.045 + 0.22 * night * one.flag(0.5))[:, None]).clamp(0.25, 2) * cast,
        'black': one.uniform(-0.04, 0.04),
        'blur': torch.tensor([0.35, 0.75, 1.6])[soft] * one.uniform(0.6, 1.2),
        'shake': one.flag(0.12) * one.uniform(0.5, 2.0),
        'noise': one.log_uniform(0.002, 0.008) * (1 + 2.5 * one.flag(0.25)),
        'noise_dark': one.uniform(0, 0.04),
        'quality': one.log_uniform(0.003, 0.07) * one.flag(0.5) + 0.002,
        'sharpen': one.flag(0.35) * one.uniform(0.5, 2.2),
        'grey': one.flag(0.02),
    }


def sodium(one, night):
    """Gains [B, 3] of red, green and blue in the light of sodium lamps, which cameras leave yellow, with next to no blue."""
    here = night * one.flag(0.2)
    gains = torch.stack([torch.ones_like(here), one.uniform(0.6, 1.0), one.log_uniform(0.04, 0.4)], 1)
    return 1 + (gains - 1) * here[:, None]


def veil(g, colour, noise):
    """The own bonnet, reflections in the screen, drops, captions: what sits between the road and the lens."""
    height, width = colour.shape[2:]
    y, x = torch.meshgrid(
        (torch.arange(height, device=colour.device) + 0.5) / height,
        (torch.arange(width, device=colour.device) + 0.5) / width,
        indexing='ij',
    )
    y, x = y.expand(colour.shape[0], -1, -1), x.expand(colour.shape[0], -1, -1)
    level = colour.mean((1, 2, 3), keepdim=True)
    for layer in (bonnet, screen, drops, streaks, caption):
        if not absent(g[layer.__name__]):
            colour = layer(g, colour, level, x, y, noise)
    return colour


@fused
def bonnet(g, colour, level, x, y, noise):
    k = lambda n: g[n][:, None, None]
    top = k('bonnet_top') + k('bonnet_bow') * (x - 0.5) ** 2
    mirrored = noise.at(x * k('bonnet_rate'), (y - top) * k('bonnet_rate') * 2 + g['screen_shift'][:, :1, None])
    bright = k('bonnet_shine') * (0.3 + 0.7 * smooth((y - top) * 5)) * (0.4 + 1.2 * smooth(mirrored[:, 0] * 3 - 1))
    shine = per_pixel(g['bonnet_colour']) * level * 2 + level * bright[:, None]
    near = torch.exp(-(((y - top - 0.04) / 0.06) ** 2) - ((x - 0.5) / 0.3) ** 2) * k('bonnet_lamps')
    points = noise.at(x * 70 + g['screen_shift'][:, 1:, None], (y - top) * 110)
    shine = shine + (near * smooth((points[:, 1] - 0.94) * 25))[:, None] * per_pixel(g['lamp_colour'])
    return blend(colour, shine, smooth((y - top) / 0.012 + 0.5) * k('bonnet'))


@fused
def screen(g, colour, level, x, y, noise):
    shift = g['screen_shift'][..., None, None]
    reflection = noise.at(x * 5 + shift[:, 0], y * 3 + shift[:, 1])[:, 0]
    return colour + level * (reflection * g['screen'][:, None, None])[:, None]


@fused
def drops(g, colour, level, x, y, noise):
    rate = g['drop_rate'][:, None, None]
    drop = noise.at(x * rate * 2, y * rate + g['screen_shift'][:, 0, None, None])[:, 1]
    return blend(colour, level.expand_as(colour) * 1.1, smooth((drop - 0.86) * 14) * g['drops'][:, None, None])


@fused
def streaks(g, colour, level, x, y, noise):
    rain = noise.at(x * 120 + y * 12, y * 5 + g['screen_shift'][:, 1, None, None])[:, 2]
    return colour + level * (smooth((rain - 0.88) * 9) * g['streaks'][:, None, None])[:, None]


@fused
def caption(g, colour, level, x, y, _):
    k = lambda n: g[n][:, None, None]
    full = torch.ones_like(x)
    text = dashes(x, 0.011 * full, 0.6 * full, 0.002) * dashes(x + y * 0.7, 0.004 * full, 0.6 * full, 0.002)
    text = text * band(y, k('caption_y'), 0.03 * full, 0.004) * ((x - k('caption_x') - 0.15).abs() < 0.15).to(x.dtype)
    return blend(colour, (level * 3).expand_as(colour), text * k('caption'))


@fused
def expose(g, colour):
    """Scene light to display values in 0..1: vignette, exposure, balance, tone curve."""
    k = lambda n: g[n][:, None, None, None]
    height, width = colour.shape[2:]
    y = torch.linspace(-0.5, 0.5, height, device=colour.device)[:, None]
    x = torch.linspace(-0.5, 0.5, width, device=colour.device)
    colour = colour * (1 - k('vignette') * 1.6 * (x * x + y * y))
    mean = colour.clamp(0, 4).mean((1, 2, 3), keepdim=True)
    gain = (k('exposure') ** k('gamma') * 1.3 / (mean + 1e-4)) ** k('adapt')
    gain = gain.clamp(max=16)
    colour = (colour * gain * per_pixel(g['balance'])).clamp(min=1e-5)
    colour = colour / torch.sqrt(1 + 0.28 * colour * colour)  # soft shoulder
    colour = torch.exp(torch.log(colour.clamp(1e-5, 1.6)) / k('gamma'))
    grey = colour.mean(1, keepdim=True)
    colour = grey + (colour - grey) * k('saturation') * (1 - k('grey'))
    colour = colour + k('contrast') * (colour - 0.45) * (1 - (2 * colour - 1).abs()).clamp(min=0)
    return colour + k('black')


def kernel(g, width, radius=3):
    """A Gaussian and, across it, a shaken one, as rows [B, 2 * radius + 1]; blur counts pixels of 800 in a row."""
    scale = width / 800
    t = torch.arange(-radius, radius + 1, device=g['blur'].device, dtype=torch.float32)
    row = lambda sigma: torch.softmax(-(t**2) / (2 * sigma[:, None] ** 2), 1)
    blur = (g['blur'] * scale).clamp(min=0.2)
    return row(blur), row(torch.sqrt(blur**2 + (g['shake'] * scale) ** 2))


@fused
def focus(g, colour):
    """Blur by lens and motion, then sharpening."""
    batch, channels, height, width = colour.shape
    across, down = kernel(g, width)
    flat = colour.reshape(1, batch * channels, height, width)
    filters = lambda k: k.repeat_interleave(channels, 0)
    radius = across.shape[1] // 2
    flat = F.pad(flat, (radius,) * 4, mode='replicate')
    flat = F.conv2d(flat, filters(across)[:, None, None, :], groups=batch * channels)
    flat = F.conv2d(flat, filters(down)[:, None, :, None], groups=batch * channels)
    soft = flat.reshape(colour.shape)
    return soft + (colour - soft) * g['sharpen'][:, None, None, None]  # 1: as before the blur; above: overdone


def cosines(device):
    """The orthonormal 8-point DCT-II."""
    k, n = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing='ij')
    c = torch.cos((2 * n + 1) * k * math.pi / 16) * 0.5
    c[0] /= math.sqrt(2)
    return c.to(device)


@fused
def jpeg(g, colour):
    """Rounds 8x8 DCT blocks of the picture, coarser in colour and in high frequencies, as JPEG does."""
    batch, _, height, width = colour.shape
    c = cosines(colour.device)
    step = 1 + torch.arange(8.0, device=colour.device)
    step = (step[:, None] + step[None]) * 0.5 * g['quality'][:, None, None, None, None, None]
    luma = colour.mean(1, keepdim=True)
    planes = torch.cat([luma, colour[:, :1] - luma, colour[:, 2:] - luma], 1)
    blocks = planes.reshape(batch, 3, height // 8, 8, width // 8, 8).permute(0, 1, 2, 4, 3, 5)
    step = step * torch.tensor([1.0, 2.0, 2.0], device=colour.device).reshape(1, 3, 1, 1, 1, 1)
    blocks = torch.round(c @ blocks @ c.T / step) * step
    planes = (c.T @ blocks @ c).permute(0, 1, 2, 4, 3, 5).reshape(batch, 3, height, width)
    luma, red, blue = planes[:, :1], planes[:, 1:2], planes[:, 2:]
    return torch.cat([luma + red, luma - red - blue, luma + blue], 1)


def record(g, colour, grain):
    """Scene light [B, 3, H, W] and standard-normal grain of that shape to what a file holds, 0..1 in steps of 1/255."""
    colour = focus(g, expose(g, colour))
    k = lambda n: g[n][:, None, None, None]
    colour = colour + grain * (
        k('noise') + k('noise_dark') * g['night'][:, None, None, None] * (1 - colour.clamp(0, 1))
    )
    colour = jpeg(g, colour.clamp(0, 1))
    return torch.round(colour.clamp(0, 1) * 255) / 255
