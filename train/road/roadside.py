"""roadside.py - what stands along the road: kerbs, rails, barriers, trees, houses, poles; and the sky."""

import torch

from . import geometry
from .texture import absent, band, blend, dashes, fused, item, per_pixel, smooth

WALLS = 7  # far to near: scenery left, right; poles; barrier or rail left, right; kerb left, right
SCENERY, FENCES, KERBS = (torch.tensor([float(i in two) for i in range(WALLS)]) for two in ((0, 1), (3, 4), (5, 6)))


def sample(dice, g):
    one = dice.stream('roadside')
    left, right = -g['shoulder_left'], g['road_end'] + g['shoulder_right']
    side = one.pick((0, 1), (1, 1))
    pole_d = (left - one.uniform(0.5, 4)) * (1 - side) + (right + one.uniform(0.5, 4)) * side
    d = torch.stack(
        [
            left - one.log_uniform(3, 30),
            right + one.log_uniform(3, 30),
            pole_d,
            left - one.uniform(0, 0.5),
            right + one.uniform(0, 0.5),
            left - one.uniform(0, 0.1),
            right + one.uniform(0, 0.1),
        ],
        1,
    )
    kind = one.choice((0.42, 0.38, 0.2), (2,))  # trees, houses, none
    trees, houses = (kind == 0).float(), (kind == 1).float()
    rail = one.flag(0.5, (2,))
    fence = one.flag(0.36, (2,))
    fence[:, 0] = torch.maximum(fence[:, 0], g['divided'] * one.flag(0.5))
    low = torch.zeros(len(left), WALLS)
    high, present, posts, step = low.clone(), low.clone(), low.clone(), low.clone() + 4
    colour = one.uniform(0.3, 0.7, (WALLS, 1)) * (1 + one.normal(0, 0.05, (WALLS, 3)))
    present[:, :2], high[:, :2] = (kind < 2).float(), one.log_uniform(2.5, 16, (2,))
    colour[:, :2] = colour[:, :2] * houses[..., None] + trees[..., None] * torch.tensor(
        [0.12, 0.2, 0.08]
    ) * one.uniform(0.5, 1.6, (2, 1))
    present[:, 2], high[:, 2] = one.flag(0.45), one.uniform(4, 10)
    posts[:, 2], step[:, 2] = one.uniform(0.1, 0.3), one.uniform(15, 50)
    present[:, 3:5] = fence
    high[:, 3:5] = one.uniform(0.65, 1.1, (2,))
    low[:, 3:5] = rail * one.uniform(0.35, 0.55, (2,))
    posts[:, 3:5], step[:, 3:5] = rail * 0.12, one.pick((2.0, 4.0, 3.0), (1, 1, 1), (2,))
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
        'wall_d': d,
        'wall_low': low,
        'wall_high': high,
        'wall_here': present,
        'wall_posts': posts,
        'wall_step': step,
        'wall_colour': colour,
        'wall_ragged': ragged,
        'wall_blocky': blocky,
        'wall_phase': one.uniform(0, 100, (WALLS,)),
        'bridge': one.flag(0.07),
        'bridge_z': one.log_uniform(15, 200),
        'bridge_long': one.uniform(4, 25),
        'bridge_high': one.uniform(4.8, 6.5),
        'bridge_thick': one.uniform(0.3, 2),
        'bridge_tone': one.uniform(0.1, 0.5),
        'zenith': zenith * two.uniform(0.7, 1.5, (1,)),
        'horizon_colour': torch.tensor([0.72, 0.78, 0.83])
        * two.uniform(0.8, 1.6, (1,))
        * (1 + two.normal(0, 0.04, (3,))),
        'cloud': two.uniform(0, 0.9),
        'cloud_shift': two.uniform(0, 60, (2,)),
        'ridge': two.flag(0.6) * two.log_uniform(0.006, 0.2),
        'ridge_rate': two.uniform(1, 14),
        'ridge_colour': two.pick(((0.3, 0.37, 0.4), (0.42, 0.34, 0.2), (0.16, 0.22, 0.1)), (0.4, 0.35, 0.25))
        * two.uniform(0.5, 1.5, (1,))
        * (1 + two.normal(0, 0.08, (3,))),
        'clutter': two.uniform(0.2, 1.3),
        'haze': two.log_uniform(500, 8000) / (1 + 4 * two.flag(0.15)),
    }


def edge(g):
    """The pavement's edge that each wall stands beyond, [B, WALLS]."""
    right = g['road_end'] + g['shoulder_right']
    return torch.where(g['wall_d'] < 0, -g['shoulder_left'][:, None], right[:, None])


@fused
def sky(g, u, v, noise):
    """Radiance of the sky and of the hills on the horizon, [B, 3, H, W] by day."""
    k = lambda n: g[n][:, None, None]
    up = (-v).clamp(min=0)
    colour = blend(
        per_pixel(g['horizon_colour']).expand(-1, -1, *u.shape[1:]),
        per_pixel(g['zenith']).expand(-1, -1, *u.shape[1:]),
        1 - torch.exp(-up * 5),
    )
    far = 1 / (up + 0.06)
    cloud = noise.at(u * far * 1.2 + g['cloud_shift'][:, :1, None], far * 1.2 + g['cloud_shift'][:, 1:, None])[:, 3]
    colour = blend(colour, 0.95 + 0 * colour, smooth((cloud - 0.4) * 2.5) * k('cloud') * smooth(up * 8))
    crest = torch.sin(u * k('ridge_rate') + 1) * 0.5 + torch.sin(u * k('ridge_rate') * 2.7) * 0.3
    crest = (crest + torch.sin(u * k('ridge_rate') * 7.3) * 0.12 + 1) * k('ridge')
    hill = smooth((crest - up) / 0.006) * (k('ridge') > 0).to(u.dtype)
    if absent(g['ridge']):
        return colour
    bush = noise.at(u * 30 + 3, v * 60)
    land = per_pixel(g['ridge_colour']) * (
        1 + (bush[:, :3] - 0.5) * 0.3 + (bush[:, 3:] - 0.5) * g['clutter'][:, None, None, None]
    )
    return blend(colour, land.clamp(min=0.02), hill)


def stand(g, ground, albedo, depth, upright, noise):
    """Draws the walls over albedo; returns albedo, depth and upright (1.0 where a standing thing is seen)."""
    height = ground.u.shape[1]
    course = {k: g[k] for k in ('camera_d', 'heading', 'curvature', 'change', 'height', 'bend', 'hill', 'hill_length')}
    fine = (1 - g['cut']) / (g['focal'] * g['aspect'] * height)
    where_s, where_e = ground.s, torch.zeros_like(ground.s)
    for i in range(WALLS):
        if absent(g['wall_here'][:, i]):
            continue
        one = item(g, 'wall_', i) | {'fine': fine, 'start': g['phase'] + g['wall_phase'][:, i]}
        draw = scenery if i < 2 else wall
        albedo, depth, upright, where_s, where_e = draw(
            one, course, ground.u, ground.v, albedo, depth, upright, where_s, where_e
        )
    if not absent(upright):
        albedo = leaves(g['clutter'], where_s, where_e, albedo, depth, upright, noise)
    return (albedo, depth, upright) if absent(g['bridge']) else over(g, ground, albedo, depth, upright)


@fused
def leaves(clutter, s, e, albedo, depth, upright, noise):
    """Leaves and boards: fine where near, coarse everywhere, each colour with a share of its own."""
    clutter = clutter[:, None, None, None]
    near, far = noise.at(s * 1.9, e * 2.3 + 9), noise.at(s * 0.35 + 7, e * 0.6)
    grain = 1 + ((near[:, 2] - 0.5) * torch.exp(-depth / 60) + 0.5 * (far[:, 0] - 0.5))[:, None] * 0.9 * clutter
    grain = grain * (1 + (far[:, 1:] - 0.5) * 0.15 * clutter)
    return albedo * (1 + (grain.clamp(min=0.1) - 1) * upright[:, None])


@fused
def wall(one, course, u, v, albedo, depth, upright, where_s, where_e):
    """A wall, a rail on posts or a row of poles."""
    k = lambda n: one[n][:, None, None]
    z, e, s, pixel = meet(one, course, u, v)
    rail = band(e, (k('high') + k('low')) / 2, (k('high') - k('low')).clamp(min=1e-3), pixel)
    alpha = rail * ((k('posts') == 0) | (k('low') > 0)).to(e.dtype)
    post = dashes(s, k('step'), k('posts') / k('step'), pixel * 2) * band(e, k('high') / 2, k('high'), pixel)
    return lay(one, torch.maximum(alpha, post), 1.0, z, e, s, albedo, depth, upright, where_s, where_e)


@fused
def scenery(one, course, u, v, albedo, depth, upright, where_s, where_e):
    """A row of trees or of houses."""
    k = lambda n: one[n][:, None, None]
    z, e, s, pixel = meet(one, course, u, v)
    wave = torch.sin(s * 0.31) * 0.5 + torch.sin(s * 0.83 + 1) * 0.3 + torch.sin(s * 2.3) * 0.2
    block = torch.sin(torch.floor(s / 9) * 78.233)
    top = k('high') * (1 + k('ragged') * (wave * (1 - k('blocky')) + block * k('blocky')))
    half = torch.full_like(s, 0.5)
    window = dashes(s, 3.0, half, pixel * 3) * dashes(e, 3.0, half, pixel)
    shade = (1 - 0.5 * window * k('blocky')) * (1 + 0.2 * block * k('blocky'))
    return lay(one, band(e, top / 2, top, pixel), shade, z, e, s, albedo, depth, upright, where_s, where_e)


def meet(one, course, u, v):
    """Where rays meet a wall: distance, height above the ground, place along, and metres a pixel covers."""
    z = geometry.wall_distance(course, u, one['d'])
    level = course['height'][:, None, None] - geometry.elevation(course, z)
    return z, level - v * z, z + one['start'][:, None, None], z * one['fine'][:, None, None]


def lay(one, alpha, shade, z, e, s, albedo, depth, upright, where_s, where_e):
    """A wall's coverage laid over what was drawn so far, where it is nearer."""
    k = lambda n: one[n][:, None, None]
    alpha = alpha * k('here') * ((z < depth) & (z < geometry.FAR * 0.9)).to(e.dtype)
    shade = shade * (1 - 0.35 * torch.exp(-e.clamp(min=0) / (0.25 * k('high') + 0.05)))
    albedo = blend(albedo, one['colour'][..., None, None] * shade[:, None], alpha)
    seen = alpha > 0.5
    return (
        albedo,
        torch.where(seen, z, depth),
        torch.maximum(upright, alpha),
        torch.where(seen, s, where_s),
        torch.where(seen, e, where_e),
    )


@fused
def over(g, ground, albedo, depth, upright):
    """A bridge or gantry across the road."""
    k = lambda n: g[n][:, None, None]
    z = k('bridge_z')
    e = g['height'][:, None, None] - geometry.elevation(g, z + 0 * ground.v) - ground.v * z
    face = band(e, k('bridge_high') + k('bridge_thick') / 2, k('bridge_thick'), z * 0.004)
    pier = (ground.u * z - k('road_end')).abs()
    face = torch.maximum(
        face,
        band(pier, 9 + 0 * pier, 1 + 0 * pier, z * 0.004) * (e > 0).to(e.dtype) * (e < k('bridge_high')).to(e.dtype),
    )
    face = face * k('bridge') * (z < depth).to(e.dtype)
    albedo = blend(albedo, g['bridge_tone'][:, None, None, None].expand_as(albedo), face)
    return albedo, torch.where(face > 0.5, z.expand_as(depth), depth), torch.maximum(upright, face)
