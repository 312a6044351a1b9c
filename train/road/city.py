"""city.py - city streets: near queues of vehicles, houses and fences at hand, worn paint, to train more on."""

import torch

from . import geometry, layout, markings, roadside, surface, vehicles
from .texture import chosen

# The lane each vehicle stands in, counted from the own one; those of a lane stand in a queue.
LANES = (0, 0, 0, -1, -1, 1, 1)


def sample(dice, g, share):
    """The fields of scenes g that change where a road becomes a street, as a share of these does.

    The camera is CULane's: low, the horizon in the middle of a broad picture, or below it, as single pictures have it.
    """
    one = dice.stream('city')
    here = one.flag(share)
    aspect = one.pick((1640 / 590, 16 / 9), (0.6, 0.4))
    low = one.flag(0.4)
    horizon = one.uniform(0.42, 0.53) * (1 - low) + one.uniform(0.53, 0.66) * low
    height = one.uniform(1.0, 1.45)
    concrete = one.flag(0.1)
    veiled = one.flag(0.6)
    changed = {
        'aspect': aspect,
        'height': height,
        'horizon': horizon,
        'pitch': geometry.pitch({**g, 'aspect': aspect}, horizon),
        'curvature': g['curvature'] * one.pick((0.1, 1.0), (0.7, 0.3)),
        'concrete': concrete,
        'road_colour': surface.tinted(one, one.uniform(0.07, 0.22), concrete),
        'line_strength': g['line_strength'] * one.uniform(0.45, 1, (1,)),
        'line_wear': torch.maximum(g['line_wear'], one.uniform(0, 0.8, (1,)) * one.uniform(0.5, 1, (layout.LINES,))),
        'arrows': one.flag(0.35),
        'crossing': one.flag(0.15),
        'stop': one.flag(0.15),
        'cloud': one.uniform(0, 0.5) * veiled + g['cloud'] * (1 - veiled),
        'haze': one.log_uniform(150, 1500),
        'screen': torch.maximum(g['screen'], one.flag(0.4) * one.uniform(0.02, 0.2)),
        **fences(one, g),
        **queues(one, g),
    }
    return {k: chosen(here, v, g[k]) for k, v in changed.items()}


def fences(one, g):
    """Picket fences or rails beside the street and along its middle, kerbs, and houses at hand.

    No line beyond the fence in the middle counts, as in CULane's labels; a divided road has the other carriageway there.
    """
    walls = (roadside.WALLS,)
    slot = torch.arange(roadside.WALLS)
    fenced = one.flag(0.6)
    middle = fenced[:, None] * (slot == 3)
    beyond = fenced * g['divided']
    shoulders = {
        'shoulder_left': torch.where(beyond > 0, one.uniform(5, 9), g['shoulder_left']),
        'shoulder_right': torch.maximum(g['shoulder_right'], one.flag(0.5) * one.uniform(1.5, 4)),
    }
    edge = roadside.edge(g | shoulders)
    fence_d = torch.gather(g['line_d'], 1, g['oncoming'][:, None].long())[:, 0] - one.uniform(0.05, 0.6)
    wall_d = edge + (g['wall_d'] - roadside.edge(g)) * torch.where(roadside.SCENERY > 0, 0.4, 1.0)
    pickets = one.flag(0.6, walls) * roadside.FENCES
    high, step = one.uniform(0.7, 1.2, walls), one.uniform(0.12, 0.5, walls)
    tall = g['wall_high'] * torch.where(roadside.SCENERY > 0, one.log_uniform(1, 3, walls), 1.0)
    return shoulders | {
        'barrier_d': torch.where(fenced > 0, fence_d, g['barrier_d']),
        'wall_d': chosen(middle, fence_d[:, None], wall_d),
        'wall_here': torch.maximum(torch.maximum(g['wall_here'], one.flag(0.5, walls) * roadside.KERBS), middle),
        'wall_high': chosen(pickets, high, tall),
        'wall_low': chosen(pickets, high - 0.06, g['wall_low']),
        'wall_step': chosen(pickets, step, g['wall_step']),
        'wall_posts': chosen(pickets, step * one.uniform(0.2, 0.6, walls), g['wall_posts']),
        'wall_colour': chosen(pickets, one.uniform(0.55, 0.95, (*walls, 1)), g['wall_colour']),
        **lines(one, g, fence_d, fenced, beyond),
    }


def lines(one, g, fence_d, fenced, beyond):
    """A whole line before the fence, often one behind it, as of a double line, and one of the other carriageway's."""
    at_fence = fenced[:, None] * (torch.arange(layout.LINES) == g['oncoming'][:, None])
    here = torch.stack([fenced, beyond], 1)
    d = torch.stack([fence_d - one.uniform(0.05, 0.5), -one.uniform(3, 4.5)], 1)
    there = one.flag(0.7, (markings.GHOSTS,)) * one.uniform(0.6, 1, (markings.GHOSTS,))
    return {
        'line_double': g['line_double'] * (1 - at_fence),
        'line_solid': torch.maximum(g['line_solid'], at_fence),
        'ghost_here': chosen(here, there, g['ghost_here']),
        'ghost_tone': chosen(here, one.uniform(0.6, 0.95, (markings.GHOSTS,)), g['ghost_tone']),
        'ghost_d': chosen(here, d, g['ghost_d']),
        'ghost_slope': g['ghost_slope'] * (1 - here),
        'ghost_duty': torch.maximum(g['ghost_duty'], here * torch.tensor([1.0, 0.0])),
    }


def queues(one, g):
    """Vehicles one behind the other in the own lane and its neighbours, some of them beside the camera.

    Where the road has no neighbouring lane, some are parked.
    """
    cars = (vehicles.VEHICLES,)
    own = (g['camera_d'][:, None] > g['line_d'][:, 1:]).long().sum(1, keepdim=True)
    wanted = own + torch.tensor(LANES)
    lane = wanted.clamp(min=0).minimum(g['line_count'][:, None] - 2)
    aside = (wanted - lane).float()
    middle = (torch.gather(g['line_d'], 1, lane) + torch.gather(g['line_d'], 1, lane + 1)) / 2
    busy = one.pick((0.15, 0.45, 0.8), (0.3, 0.4, 0.3), (1,)) * torch.where(aside == 0, 1.0, 0.5)
    first = torch.where(torch.tensor(LANES) == 0, one.log_uniform(5, 40, cars), one.uniform(-3, 14, cars))
    behind = g['car_long'] + one.log_uniform(1.5, 25, cars)
    z = [first[:, 0]]
    for i in range(1, len(LANES)):
        z.append(z[-1] + behind[:, i - 1] if LANES[i] == LANES[i - 1] else first[:, i])
    return {
        'car_here': (one.uniform(0, 1, cars) < busy).float(),
        'car_d': middle + 4 * aside + one.normal(0, 0.2, cars),
        'car_z': torch.stack(z, 1),
        'car_oncoming': ((lane < g['oncoming'][:, None]) & (aside == 0)).float(),
    }
