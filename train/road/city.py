"""city.py - city streets: near queues of vehicles, houses and fences at hand, worn paint, to train more on."""

import torch

from . import geometry, layout, roadside, surface, vehicles
from .texture import chosen

# The lane each vehicle stands in, counted from the own one; those of a lane stand in a queue.
LANES = (0, 0, 0, -1, -1, 1, 1)


def sample(dice, g, share):
    """The fields of scenes g that change where a road becomes a street, as a share of these does.

    The camera is CULane's: low, the horizon in the middle of a broad picture or, as of some of its drivers, below.
    """
    one = dice.stream('city')
    here = one.flag(share)
    lines, walls = (layout.LINES,), (roadside.WALLS,)
    aspect = one.pick((1640 / 590, 16 / 9), (0.6, 0.4))
    low = one.flag(0.4)
    horizon = one.uniform(0.42, 0.53) * (1 - low) + one.uniform(0.53, 0.66) * low
    height = one.uniform(1.0, 1.45)
    concrete = one.flag(0.1)
    veiled = one.flag(0.6)
    nearer = 0.6 * (g['wall_d'] - roadside.edge(g))
    changed = {
        'aspect': aspect,
        'height': height,
        'horizon': horizon,
        'pitch': geometry.pitch({**g, 'aspect': aspect}, horizon),
        'curvature': g['curvature'] * one.pick((0.1, 1.0), (0.7, 0.3)),
        'concrete': concrete,
        'road_colour': surface.tinted(one, one.uniform(0.07, 0.22), concrete),
        'line_strength': g['line_strength'] * one.uniform(0.45, 1, (1,)),
        'line_wear': torch.maximum(g['line_wear'], one.uniform(0, 0.8, (1,)) * one.uniform(0.5, 1, lines)),
        'arrows': one.flag(0.35),
        'crossing': one.flag(0.15),
        'stop': one.flag(0.15),
        'cloud': one.uniform(0, 0.5) * veiled + g['cloud'] * (1 - veiled),
        'haze': one.log_uniform(150, 1500),
        'screen': torch.maximum(g['screen'], one.flag(0.4) * one.uniform(0.02, 0.2)),
        'wall_d': g['wall_d'] - nearer * roadside.SCENERY,
        'wall_high': torch.where(roadside.SCENERY > 0, g['wall_high'] * one.log_uniform(1, 3, walls), g['wall_high']),
        'wall_here': torch.maximum(g['wall_here'], one.flag(0.5, walls) * roadside.KERBS),
        **queues(one, g),
    }
    return {k: chosen(here, v, g[k]) for k, v in changed.items()}


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
    busy = one.pick((0.25, 0.6, 0.9), (0.25, 0.4, 0.35), (1,)) * torch.where(aside == 0, 1.0, 0.5)
    first = torch.where(torch.tensor(LANES) == 0, one.log_uniform(5, 40, cars), one.uniform(-3, 14, cars))
    behind = g['car_long'] + one.log_uniform(1.5, 25, cars)
    z = [first[:, 0]]
    for i in range(1, len(LANES)):
        z.append(z[-1] + behind[:, i - 1] if LANES[i] == LANES[i - 1] else first[:, i])
    return {
        'car_here': (one.uniform(0, 1, cars) < busy).float(),
        'car_d': middle + 3 * aside + one.normal(0, 0.2, cars),
        'car_z': torch.stack(z, 1),
        'car_oncoming': ((lane < g['oncoming'][:, None]) & (aside == 0)).float(),
    }
