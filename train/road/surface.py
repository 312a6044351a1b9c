"""surface.py - the ground without paint: asphalt, concrete, joints, tar, tyre marks, shoulder, terrain, snow."""

from collections import namedtuple

import torch

from . import layout, markings
from .texture import absent, band, blend, dashes, fused, item, per_pixel, smooth

SEAMS = 5
PATCHES = 2
CONCRETE = (0.3, 0.58)  # its albedo
# terrain: dry grass, grass, earth, sand, pavement, snow, gravel
TERRAINS = (
    (0.42, 0.38, 0.22),
    (0.18, 0.26, 0.1),
    (0.32, 0.25, 0.18),
    (0.55, 0.46, 0.34),
    (0.42, 0.42, 0.41),
    (0.85, 0.87, 0.9),
    (0.4, 0.39, 0.37),
)

# fine, coarse, streak, wave: about zero; blot, speck: 0..1
Grains = namedtuple('Grains', 'fine coarse streak wave blot speck')


def sample(dice, g):
    one, two = dice.stream('surface'), dice.stream('shoulder')
    hard = two.flag(0.3, (2,)) * g['divided'][:, None]  # a shoulder to stop on, as broad as a lane
    concrete = one.flag(0.28)
    tone = one.uniform(0.07, 0.32) * (1 - concrete) + one.uniform(*CONCRETE) * concrete
    colour = tinted(one, tone, concrete)
    near_line = torch.gather(g['line_d'], 1, one.choice((1, 1, 1, 1, 1), (SEAMS,)).clamp(max=g['line_d'].shape[1] - 1))
    near_line = torch.where(near_line > 1e3, g['road_end'][:, None], near_line)
    beside = one.flag(0.6, (SEAMS,))
    seam_d = beside * (near_line + one.normal(0, 0.35, (SEAMS,))) + (1 - beside) * (
        one.uniform(-2, 1, (SEAMS,)) + g['road_end'][:, None] * one.uniform(0, 1.2, (SEAMS,))
    )
    return {
        'concrete': concrete,
        'road_colour': colour,
        'grain': one.uniform(0.02, 0.14),
        'blotch': one.uniform(0.0, 0.12),
        'streak': one.uniform(0, 0.2),
        'lane_tone': one.normal(0, 0.09, (layout.LINES,)) * one.flag(0.5, (1,)),
        'track': one.normal(0, 0.16) * one.flag(0.75),
        'track_width': one.uniform(0.16, 0.45),
        'oil': -one.uniform(0, 0.25) * one.flag(0.45),
        'seam_here': one.flag(0.42, (SEAMS,)) * one.uniform(0.25, 1, (SEAMS,)),
        'seam_d': seam_d,
        'seam_slope': one.normal(0, 0.004, (SEAMS,)),
        'seam_width': one.uniform(0.015, 0.13, (SEAMS,)),
        'seam_wave': one.uniform(0, 0.5, (SEAMS,)) * one.flag(0.6, (SEAMS,)),
        'seam_tone': one.pick((0.25, 0.5, 1.35, 1.6), (0.5, 0.25, 0.15, 0.1), (SEAMS,)).minimum(lightest(tone)[:, None]),
        'joint': one.flag(0.15 + 0.6 * concrete) * one.uniform(0.2, 1),
        'joint_step': one.uniform(4, 9),
        'joint_tone': one.uniform(0.3, 0.75),
        'joint_width': one.uniform(0.02, 0.12),
        'joint_skew': one.normal(0, 0.08),
        'crack': one.flag(0.2) * one.uniform(0.2, 0.7),
        'crack_tone': one.uniform(0.2, 0.6),
        'patch_here': one.flag(0.2, (PATCHES,)),
        'patch_d': one.uniform(-1, 10, (PATCHES,)),
        'patch_z': one.log_uniform(5, 60, (PATCHES,)),
        'patch_long': one.log_uniform(2, 60, (PATCHES,)),
        'patch_width': one.uniform(0.6, 4, (PATCHES,)),
        'patch_tone': one.uniform(0.55, 1.4, (PATCHES,)),
        'skid': one.flag(0.12) * one.uniform(0.2, 0.6),
        'skid_d': one.uniform(-1, 9),
        'skid_slope': one.normal(0, 0.05),
        'shoulder_left': one.log_uniform(0.15, 3.5) * (1 - hard[:, 0]) + hard[:, 0] * two.uniform(2.2, 3.6),
        'shoulder_right': one.log_uniform(0.15, 4.0) * (1 - hard[:, 1]) + hard[:, 1] * two.uniform(2.2, 3.6),
        'shoulder_tone': one.normal(1, 0.12).clamp(0.7, 1.4),
        'terrain': one.pick(TERRAINS, (0.2, 0.26, 0.14, 0.1, 0.16, 0.05, 0.09)) * one.uniform(0.7, 1.25, (1,)),
        'rough': one.uniform(0.1, 0.45),
        'dust': two.flag(0.35) * two.uniform(0.3, 0.9),
        'dust_wide': two.log_uniform(0.1, 0.7),
        'dust_colour': two.uniform(0.3, 0.55, (1,)) * (1 + two.normal(0, 0.03, (3,)) + torch.tensor([0.06, 0.0, -0.1])),
        'snow': one.flag(0.05),
        'snow_reach': one.normal(0, 0.8),
        'texture_shift': one.uniform(0, 64, (2,)),
    }


def tinted(one, tone, concrete):
    """Colours [B, 3] of roads that bright, concrete a little warmer."""
    return tone[:, None] * (1 + one.normal(0, 0.03, (3,)) + concrete[:, None] * torch.tensor([0.04, 0.01, -0.06]))


def lightest(tone):
    """How many times as light as the road [B] a strip that is no line may be: a third of the way to paint.

    Lighter ones, pale joints of pale concrete, could not be told from lines, and nobody who labels pictures would try.
    """
    return 1 + (markings.DULLEST / tone - 1) / 3


@fused
def fields(g, ground, noise):
    """Grains of [B, H, W]: noise in road coordinates, faded out where a pixel covers more than a grain."""
    shift = g['texture_shift']
    x, y = ground.d + shift[:, 0, None, None], ground.s + shift[:, 1, None, None]
    fade = lambda size: smooth(1.3 - torch.maximum(ground.across, ground.along * 0.5) / size)
    a = noise.at(x * 9, y * 9)
    b = noise.at(x * 0.9, y * 0.55)
    c = noise.at(x * 3.2, y * 0.05)
    fine = (a[:, 0] - 0.5) * fade(0.22)
    coarse = (b[:, 0] - 0.5) * fade(3.0)
    streak = (c[:, 0] - 0.5) * smooth(1.3 - ground.across / 0.5)
    return Grains(fine, coarse, streak, b[:, 1] - 0.5, b[:, 2], a[:, 1])


def cover(g, ground, index, noise):
    """Albedo [B, 3, H, W] of the unpainted ground, noise (fine, coarse; 0..1) for the paint's wear, share of snow."""
    grains = fields(g, ground, noise)
    tone = plain(g, ground, index, grains)
    for i in range(PATCHES):
        if not absent(g['patch_here'][:, i]):
            tone = patch(item(g, 'patch_', i), ground, tone)
    for i in range(SEAMS):
        if not absent(g['seam_here'][:, i]):
            tone = seam(item(g, 'seam_', i), ground, grains.wave, tone)
    return verge(g, ground, grains, tone)


@fused
def plain(g, ground, index, grains):
    """Brightness [B, H, W] of the road about 1: grain, lanes of their own tone, wheel tracks, joints, cracks, skids."""
    k = lambda n: g[n][:, None, None]
    d, s, z, across, along = ground.d, ground.s, ground.z, ground.across, ground.along
    line_d = layout.at(g['line_d'], index)
    q = (d - line_d).abs()
    lane = (index - (d < line_d).long()).clamp(0, layout.LINES - 1)
    tone = 1 + grains.fine * k('grain') * 2 + grains.coarse * k('blotch') + grains.streak * k('streak')
    tone = tone + layout.at(g['lane_tone'], lane)
    wheel = torch.exp(-(((q - (k('lane_width') - 1.65) / 2) / k('track_width')) ** 2))
    tone = (
        tone
        + k('track') * wheel * (1 + grains.streak)
        + k('oil') * torch.exp(-(((q - k('lane_width') / 2) / 0.3) ** 2))
    )
    joint = dashes(s + d * k('joint_skew'), k('joint_step'), k('joint_width') / k('joint_step'), along)
    tone = tone * (1 + (k('joint_tone') - 1) * joint * k('joint'))
    crack = smooth(1 - (grains.wave.abs() / 0.012) / (1 + across * 8)) * k('crack') * smooth(1.5 - along / 1.5)
    tone = tone * (1 + (k('crack_tone') - 1) * crack)
    skid = (
        band(d, k('skid_d') + k('skid_slope') * z, torch.full_like(d, 0.22), across) * smooth((40 - z) / 10) * k('skid')
    )
    return tone * (1 - skid)


@fused
def patch(one, ground, tone):
    """A mended rectangle."""
    k = lambda n: one[n][:, None, None]
    inside = band(ground.d, k('d'), k('width'), ground.across) * band(ground.z, k('z'), k('long'), ground.along)
    return tone * (1 + (k('tone') - 1) * inside * k('here'))


@fused
def seam(one, ground, wave, tone):
    """A line along the road that is no lane line: a joint, a tar seam, a polished or a soiled strip."""
    k = lambda n: one[n][:, None, None]
    line = band(ground.d, k('d') + k('slope') * ground.z + k('wave') * wave, k('width'), ground.across)
    return tone * (1 + (k('tone') - 1) * line * k('here'))


@fused
def verge(g, ground, grains, tone):
    """The road's tone to albedo, with shoulder, terrain, the pale dust between the two, and snow."""
    k = lambda n: g[n][:, None, None]
    d = ground.d
    left, right = -k('shoulder_left'), k('road_end') + k('shoulder_right')
    beside = torch.maximum(smooth(-d / 0.2 - 0.5), smooth((d - k('road_end')) / 0.2 - 0.5))
    tone = tone * (1 + (k('shoulder_tone') - 1) * beside)
    road = per_pixel(g['road_colour']) * tone.clamp(0.15, 2.2)[:, None]
    ragged = (grains.blot - 0.5) * 0.35
    aside = torch.maximum(left - d, d - right) + ragged
    bumpy = 1 + (grains.coarse * 2 + grains.fine * 1.5) * k('rough') + grains.wave * 0.3 * k('rough')
    albedo = blend(road, per_pixel(g['terrain']) * bumpy.clamp(0.3, 1.8)[:, None], smooth(aside / 0.15))
    dusty = band(aside, torch.zeros_like(d), k('dust_wide'), ground.across) * k('dust') * (0.4 + 0.6 * grains.blot)
    albedo = blend(albedo, per_pixel(g['dust_colour']), dusty)
    drift = torch.maximum(-d, d - k('road_end')) + k('snow_reach') + (grains.blot - 0.5) * 1.2 + grains.coarse
    snow = smooth(drift / 0.3) * k('snow') * (0.75 + 0.25 * grains.speck)
    albedo = blend(albedo, torch.full_like(albedo, 0.86), snow)
    return albedo.clamp(0.01, 1.2), (grains.fine + 0.5, grains.blot), snow
