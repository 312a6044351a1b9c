"""roadside.py - what stands along the road: kerbs, rails, barriers, trees, houses, poles; and the sky."""
import torch

from . import geometry
from .texture import absent, band, blend, dashes, per_pixel, smooth

WALLS = 7           # far to near: scenery left, right; poles; barrier or rail left, right; kerb left, right
BRIDGES = 1


def sample(dice, g):
    one = dice.stream('roadside')
    left, right = -g['shoulder_left'], g['road_end'] + g['shoulder_right']
    side = one.pick((0, 1), (1, 1))
    pole_d = (left - one.uniform(0.5, 4)) * (1 - side) + (right + one.uniform(0.5, 4)) * side
    d = torch.stack([left - one.log_uniform(3, 30), right + one.log_uniform(3, 30), pole_d,
                     left - one.uniform(0, 0.5), right + one.uniform(0, 0.5),
                     left - one.uniform(0, 0.1), right + one.uniform(0, 0.1)], 1)
    kind = one.choice((0.42, 0.38, 0.2), (2,))              # trees, houses, none
    trees, houses = (kind == 0).float(), (kind == 1).float()
    rail = one.flag(0.5, (2,))
    fence = one.flag(0.36, (2,))
    fence[:, 0] = torch.maximum(fence[:, 0], g['divided'] * one.flag(0.5))
    low = torch.zeros(len(left), WALLS)
    high, present, posts, step = low.clone(), low.clone(), low.clone(), low.clone() + 4
    colour = one.uniform(0.3, 0.7, (WALLS, 1)) * (1 + one.normal(0, 0.05, (WALLS, 3)))
    present[:, :2], high[:, :2] = (kind < 2).float(), one.log_uniform(2.5, 16, (2,))
    colour[:, :2] = colour[:, :2] * houses[..., None] + trees[..., None] * torch.tensor([0.12, 0.2, 0.08]) * one.uniform(
        0.5, 1.6, (2, 1))
    present[:, 2], high[:, 2] = one.flag(0.45), one.uniform(4, 10)
    posts[:, 2], step[:, 2] = one.uniform(0.1, 0.3), one.uniform(15, 50)
    present[:, 3:5] = fence
    high[:, 3:5] = one.uniform(0.65, 1.1, (2,))
    low[:, 3:5] = rail * one.uniform(0.35, 0.55, (2,))
    posts[:, 3:5], step[:, 3:5] = rail * 0.12, one.pick((2., 4., 3.), (1, 1, 1), (2,))
    colour[:, 3:5] = one.uniform(0.25, 0.75, (2, 1)) * (1 + one.normal(0, 0.03, (2, 3)))
    present[:, 5:] = one.flag(0.35, (2,)) * (1 - fence * 0.7)
    high[:, 5:] = one.uniform(0.08, 0.25, (2,))
    colour[:, 5:] = one.uniform(0.25, 0.75, (2, 1))
    ragged = torch.zeros_like(high)
    ragged[:, :2] = trees * one.uniform(0.2, 0.5, (2,)) + houses * one.uniform(0, 0.5, (2,))
    blocky = torch.zeros_like(high)
    blocky[:, :2] = houses
    two = dice.stream('sky')
    blue = two.flag(0.5)[:, None]
    zenith = blue * torch.tensor([0.22, 0.4, 0.75]) + (1 - blue) * torch.tensor([0.6, 0.64, 0.68])
    return {
        'wall_d': d, 'wall_low': low, 'wall_high': high, 'wall_here': present, 'wall_posts': posts,
        'wall_step': step, 'wall_colour': colour, 'wall_ragged': ragged, 'wall_blocky': blocky,
        'wall_phase': one.uniform(0, 100, (WALLS,)),
        'bridge': one.flag(0.07), 'bridge_z': one.log_uniform(15, 200), 'bridge_long': one.uniform(4, 25),
        'bridge_high': one.uniform(4.8, 6.5), 'bridge_thick': one.uniform(0.3, 2), 'bridge_tone': one.uniform(0.1, 0.5),
        'zenith': zenith * two.uniform(0.7, 1.2, (1,)), 'horizon_colour': torch.tensor([0.72, 0.78, 0.83]) * two.uniform(
            0.75, 1.15, (1,)) * (1 + two.normal(0, 0.04, (3,))),
        'cloud': two.uniform(0, 0.9), 'cloud_shift': two.uniform(0, 60, (2,)),
        'ridge': two.flag(0.5) * two.uniform(0.005, 0.09), 'ridge_rate': two.uniform(1, 14),
        'ridge_colour': torch.tensor([0.3, 0.37, 0.38]) * two.uniform(0.5, 1.5, (1,)) * (1 + two.normal(0, 0.08, (3,))),
        'haze': two.log_uniform(500, 8000) / (1 + 4 * two.flag(0.15)),
    }


def sky(g, u, v, noise):
    """Radiance of the sky and of the hills on the horizon, [B, 3, H, W] by day."""
    k = lambda n: g[n][:, None, None]
    up = (-v).clamp(min=0)
    colour = blend(per_pixel(g['horizon_colour']).expand(-1, -1, *u.shape[1:]),
                   per_pixel(g['zenith']).expand(-1, -1, *u.shape[1:]), 1 - torch.exp(-up * 5))
    far = 1 / (up + 0.06)
    cloud = noise.at(u * far * 1.2 + g['cloud_shift'][:, :1, None], far * 1.2 + g['cloud_shift'][:, 1:, None])[:, 3]
    colour = blend(colour, 0.95 + 0 * colour, smooth((cloud - 0.4) * 2.5) * k('cloud') * smooth(up * 8))
    crest = torch.sin(u * k('ridge_rate') + 1) * 0.5 + torch.sin(u * k('ridge_rate') * 2.7) * 0.3
    crest = (crest + torch.sin(u * k('ridge_rate') * 7.3) * 0.12 + 1) * k('ridge')
    hill = smooth((crest - up) / 0.006) * (k('ridge') > 0).to(u.dtype)
    return blend(colour, per_pixel(g['ridge_colour']).expand_as(colour), hill)


def stand(g, ground, albedo, depth, upright, noise):
    """Draws the walls over albedo; returns albedo, depth and upright (1.0 where a standing thing is seen)."""
    height, width = ground.u.shape[1:]
    fine = 1 / (g['focal'] * g['aspect'] * height / (1 - geometry.CUT))
    where_s, where_e = ground.s, torch.zeros_like(ground.s)
    for i in range(WALLS):
        if absent(g['wall_here'][:, i]):
            continue
        k = lambda n: g['wall_' + n][:, i, None, None]
        z = geometry.wall_distance(g, ground.u, g['wall_d'][:, i])
        level = g['height'][:, None, None] - geometry.elevation(g, z)
        e, pixel = level - ground.v * z, z * fine[:, None, None]
        s = z + g['phase'][:, None, None] + k('phase')
        scenery = i < 2 and not absent(g['wall_ragged'][:, i] + g['wall_blocky'][:, i])
        top = k('high')
        if scenery:
            wave = torch.sin(s * 0.31) * 0.5 + torch.sin(s * 0.83 + 1) * 0.3 + torch.sin(s * 2.3) * 0.2
            block = torch.sin(torch.floor(s / 9) * 78.233 + i)
            top = top * (1 + k('ragged') * (wave * (1 - k('blocky')) + block * k('blocky')))
        rail = band(e, (top + k('low')) / 2, (top - k('low')).clamp(min=1e-3), pixel)
        alpha = rail * ((k('posts') == 0) | (k('low') > 0)).to(e.dtype)
        if not absent(g['wall_posts'][:, i]):
            post = dashes(s, k('step'), k('posts') / k('step'), pixel * 2) * band(e, top / 2, top, pixel)
            alpha = torch.maximum(alpha, post)
        alpha = alpha * k('here') * (z < depth).to(e.dtype) * (z < geometry.FAR * 0.9).to(e.dtype)
        shade = 1 - 0.35 * torch.exp(-e.clamp(min=0) / (0.25 * k('high') + 0.05))
        if scenery and not absent(g['wall_blocky'][:, i]):
            half = torch.full_like(s, 0.5)
            window = dashes(s, 3., half, pixel * 3) * dashes(e, 3., half, pixel)
            shade = shade * (1 - 0.5 * window * k('blocky')) * (1 + 0.2 * block * k('blocky'))
        albedo = blend(albedo, g['wall_colour'][:, i, :, None, None] * shade[:, None], alpha)
        seen = alpha > 0.5
        depth = torch.where(seen, z, depth)
        upright = torch.maximum(upright, alpha)
        where_s, where_e = torch.where(seen, s, where_s), torch.where(seen, e, where_e)
    if absent(upright):
        return over(g, ground, albedo, depth, upright)
    grain = noise.at(where_s * 1.7, where_e * 2.1 + 9)[:, 2] - 0.5
    albedo = albedo * (1 + grain * 0.6 * upright * torch.exp(-depth / 80))[:, None]
    return over(g, ground, albedo, depth, upright)


def over(g, ground, albedo, depth, upright):
    """A bridge or gantry across the road."""
    if absent(g['bridge']):
        return albedo, depth, upright
    k = lambda n: g[n][:, None, None]
    z = k('bridge_z')
    e = g['height'][:, None, None] - geometry.elevation(g, z + 0 * ground.v) - ground.v * z
    face = band(e, k('bridge_high') + k('bridge_thick') / 2, k('bridge_thick'), z * 0.004)
    pier = (ground.u * z - k('road_end')).abs()
    face = torch.maximum(face, band(pier, 9 + 0 * pier, 1 + 0 * pier, z * 0.004) * (e > 0).to(e.dtype) * (
        e < k('bridge_high')).to(e.dtype))
    face = face * k('bridge') * (z < depth).to(e.dtype)
    albedo = blend(albedo, g['bridge_tone'][:, None, None, None].expand_as(albedo), face)
    return albedo, torch.where(face > 0.5, z.expand_as(depth), depth), torch.maximum(upright, face)
