"""light.py - sun, shade, night, headlamps, street lamps, rain-wet ground, haze and glare."""

import math

import torch

from .texture import absent, blend, fused, per_pixel, smooth


def sample(dice):
    one = dice.stream('light')
    time = one.choice((0.74, 0.07, 0.19))
    night, dusk = (time == 2).float(), (time == 1).float()
    sunny = one.flag(0.55) * (1 - night) * (1 - dusk)
    wet = one.flag(0.16) * one.uniform(0.2, 1)
    warm = one.normal(0, 0.06)
    tint = torch.stack([1 + warm, torch.ones_like(warm), 1 - warm], 1)
    lamp = one.pick(((1.0, 0.72, 0.4), (0.9, 0.95, 1.0)), (0.55, 0.45))
    return {
        'night': night,
        'dusk': dusk,
        'sunny': sunny,
        'wet': wet,
        'sun_side': one.pick((-1, 1), (1, 1)),
        'ambient': tint
        * (
            one.uniform(0.35, 0.6)[:, None] * (1 - night - dusk * 0.8)[:, None]
            + night[:, None] * one.log_uniform(0.004, 0.05)[:, None]
        ),
        'sun': (sunny * one.uniform(0.5, 1.0))[:, None] * torch.tensor([1.0, 0.95, 0.86]),
        'shade': one.flag(0.45) * one.uniform(0.4, 1),
        'shade_amount': one.uniform(0.25, 0.75),
        'shade_long': one.log_uniform(0.03, 0.5),
        'shade_skew': one.normal(0, 0.8),
        'shade_wide': one.log_uniform(0.02, 0.35),
        'shade_sharp': one.uniform(2, 14),
        'side_shade': one.flag(0.25),
        'side_reach': one.uniform(0.2, 5),
        'side_wave': one.uniform(0, 1.2) * one.flag(0.5),
        'beam': torch.maximum(night, dusk * one.flag(0.5)) * one.log_uniform(0.35, 1.4),
        'beam_reach': one.log_uniform(9, 42),
        'beam_spread': one.log_uniform(0.1, 0.6),
        'lamps': night * one.flag(0.65) * one.log_uniform(0.06, 0.5),
        'lamp_step': one.uniform(22, 45),
        'lamp_phase': one.uniform(0, 45),
        'lamp_d': one.uniform(-9, 13),
        'lamp_wide': one.log_uniform(2.5, 12),
        'lamp_colour': lamp,
        'sparkle': night * one.flag(0.5) * one.uniform(0.2, 1.0),
        'retro': one.uniform(1.0, 3.2),
        'glare': one.flag(0.14) * one.uniform(0.1, 0.7),
        'glare_u': one.normal(0, 0.35),
        'glare_v': one.uniform(-0.35, 0.0),
        'sheen': one.flag(0.2) * (1 - night) * one.uniform(0.1, 0.8),
    }


@fused
def fall(g, ground, noise):
    """Light [B, 3, H, W] that falls on the ground, before the vehicles' shadows."""
    k = lambda n: g[n][:, None, None]
    d, s, z = ground.d, ground.s, ground.z
    if absent(g['shade'] + g['side_shade'] + g['bridge']):
        n = torch.zeros_like(d)[:, None].expand(-1, 4, -1, -1)
    else:
        n = noise.at((d + s * k('shade_skew')) * k('shade_wide'), (s - d * k('shade_skew')) * k('shade_long'))
    leaves = smooth((n[:, 2] - 0.5) * k('shade_sharp') + 0.5) * k('shade') * k('shade_amount')
    wavy = k('side_reach') + (n[:, 1] - 0.5) * k('side_wave') * 4
    right = k('road_end') + k('shoulder_right')
    from_side = torch.where(k('sun_side') < 0, right - d, d + k('shoulder_left'))
    strip = smooth((wavy - from_side) / 0.25) * k('side_shade') * k('shade_amount')
    below = (
        smooth(1 - ((z - k('bridge_z') - k('bridge_long') / 2).abs() - k('bridge_long') / 2) / 1.0) * k('bridge') * 0.8
    )
    shaded = 1 - torch.maximum(torch.maximum(leaves, strip), below)
    light = per_pixel(g['ambient']) * (1 - 0.5 * (1 - shaded))[:, None] + per_pixel(g['sun']) * shaded[:, None]
    light = light + headlamps(g, ground.u, z)
    if absent(g['lamps']):
        return light
    street = torch.cos((s + k('lamp_phase')) * (2 * math.pi) / k('lamp_step')) * 0.42 + 0.58
    street = street**2 / (1 + ((d - k('lamp_d')) / k('lamp_wide')) ** 2) * k('lamps')
    return light + per_pixel(g['lamp_colour']) * street[:, None]


def headlamps(g, u, z):
    """Light [B, 3, H, W] of the own headlamps at distance z in direction u; zero by day."""
    if absent(g['beam']):
        return torch.zeros_like(z)[:, None]
    k = lambda n: g[n][:, None, None]
    beam = torch.exp(-((u * z / (z * k('beam_spread') + 1.2)) ** 2)) / (1 + (z / k('beam_reach')) ** 2) * smooth(z / 9)
    return torch.tensor([1.0, 0.96, 0.88], device=u.device).reshape(1, 3, 1, 1) * (beam * k('beam'))[:, None]


@fused
def standing(g, u, depth):
    """Light on what stands upright: no shade, street lamps from above count as a share."""
    even = g['ambient'] + 0.7 * g['sun'] + 0.3 * g['lamp_colour'] * g['lamps'][:, None]
    return per_pixel(even) + headlamps(g, u, depth)


@fused
def shine(g, ground, albedo, paint, light):
    """Light that comes back from the ground: diffuse, retroreflective paint, wet or low-sun sheen."""
    k = lambda n: g[n][:, None, None]
    soaked = albedo * (1 - 0.45 * k('wet') * (1 - paint * 0.3))[:, None]
    dark = torch.maximum(k('night'), k('dusk') * 0.5)
    seen = soaked * light * (1 + paint * dark * (k('retro') - 1))[:, None]
    grazing = 1 / (1 + (ground.v.clamp(min=0) * 7) ** 2)
    mirror = (k('wet') * 0.55 + k('sheen') * 0.5 * torch.exp(-(((ground.u - k('glare_u')) / 0.5) ** 2))) * grazing
    sky = per_pixel(g['horizon_colour']) * (1 - 0.97 * k('night'))[:, None] * (1 - 0.75 * k('dusk'))[:, None]
    return blend(seen, sky.expand_as(seen), mirror.clamp(max=0.85))


@fused
def sparkles(g, u, v, noise):
    """Distant lamps and lit windows above the horizon at night, [B, 3, H, W]."""
    n = noise.at(u * 90 + g['lamp_phase'][:, None, None], v * 110)
    point = smooth((n[:, 0] - 0.96) * 30) * smooth((0.12 + v) * 9) * smooth((0.03 - v) * 40)
    warm = per_pixel(g['lamp_colour'])
    return warm * (point * g['sparkle'][:, None, None])[:, None] * (0.5 + n[:, 1:2])


@fused
def air(g, colour, depth):
    """Haze by distance."""
    amount = 1 - torch.exp(-depth / g['haze'][:, None, None])
    dark = (1 - 0.97 * g['night'] - 0.7 * g['dusk'])[:, None, None, None]
    return blend(colour, (per_pixel(g['horizon_colour']) * dark).expand_as(colour), amount)


@fused
def glare(g, colour, u, v):
    """Veil of a low sun or of a dirty screen against the light."""
    if absent(g['glare']):
        return colour
    k = lambda n: g[n][:, None, None]
    r2 = (u - k('glare_u')) ** 2 + (v - k('glare_v')) ** 2
    veil = (0.25 + 0.9 / (1 + r2 * 12)) * k('glare') * (1 - 0.8 * k('night'))
    return colour + veil[:, None] * torch.tensor([1.0, 0.96, 0.88], device=u.device).reshape(1, 3, 1, 1)
