"""freeway.py - concrete freeways with raised dots, joints beside their lines, broad shoulders and dense traffic."""

import torch

from . import geometry, layout, markings, roadside, surface, vehicles
from .texture import chosen


def sample(dice, g, share):
    """The fields of scenes g that change where a divided road becomes a freeway, as a share of these does.

    Where two thirds of the dots are gone, a joint at hand's breadth from the line is what is seen best.
    """
    one = dice.stream('freeway')
    here = one.flag(share) * g['divided']
    lines, seams, cars = (layout.LINES,), (surface.SEAMS,), (vehicles.VEHICLES,)
    tone, horizon = one.uniform(*surface.CONCRETE), one.uniform(0.3, 0.42)
    concrete = torch.ones_like(tone)
    beside = one.pick((-1, 1), (1, 1), (1,)) * one.uniform(0.05, 0.4, (1,)) + one.normal(0, 0.04, seams)
    line_d = torch.minimum(g['line_d'][:, : surface.SEAMS], g['road_end'][:, None])
    changed = {
        'horizon': horizon,
        'pitch': geometry.pitch(g, horizon),
        'line_dots': torch.maximum(g['line_dots'], markings.roles(g)[3]),
        'line_dot_step': one.pick((1.2, 3.65, 7.3, 14.6), (0.3, 0.25, 0.2, 0.25), (1,)).expand(-1, *lines),
        'concrete': concrete,
        'road_colour': surface.tinted(one, tone, concrete),
        'oil': -one.uniform(0, 0.3),
        'lane_tone': one.normal(0, 0.13, lines),
        'shoulder_tone': one.uniform(0.35, 1.15),
        'seam_here': one.flag(0.8, seams) * one.uniform(0.3, 1, seams),
        'seam_d': line_d + beside,
        'seam_slope': torch.zeros_like(line_d),
        'seam_width': one.uniform(0.015, 0.07, seams),
        'seam_wave': one.uniform(0, 0.1, seams),
        'seam_tone': one.pick((0.25, 0.5, 0.7), (0.4, 0.35, 0.25), seams),
        'arrows': one.flag(0.05),
        'crossing': torch.zeros_like(tone),
        'stop': torch.zeros_like(tone),
        'joint': one.flag(0.75) * one.uniform(0.2, 1),
        'car_here': one.flag(0.7, cars),
        # to 67 metres instead of 140; what stands beside the camera stays
        'car_z': torch.minimum(g['car_z'], 3.5 * (g['car_z'].clamp(min=3.5) / 3.5) ** 0.8),
        **edges(one, g),
    }
    return {k: chosen(here, v, g[k]) for k, v in changed.items()}


def edges(one, g):
    """Shoulders as broad as a lane, what stands beside them moved with them, and banks of earth or grass behind."""
    broad = one.flag(0.4, (2,)) * one.uniform(2.2, 3.6, (2,))
    shoulders = {
        'shoulder_left': torch.maximum(g['shoulder_left'], broad[:, 0]),
        'shoulder_right': torch.maximum(g['shoulder_right'], broad[:, 1]),
    }
    walls = (roadside.WALLS,)
    edge = roadside.edge(g | shoulders)
    bank = one.flag(0.35, walls) * roadside.SCENERY
    bank_d = edge + torch.sign(g['wall_d']) * one.log_uniform(0.3, 4, walls)
    return shoulders | {
        'wall_d': chosen(bank, bank_d, g['wall_d'] + edge - roadside.edge(g)),
        'wall_here': torch.maximum(g['wall_here'], bank),
        'wall_high': chosen(bank, one.log_uniform(1, 6, walls), g['wall_high']),
        'wall_colour': chosen(bank, g['terrain'][:, None] * one.uniform(0.6, 1.1, (*walls, 1)), g['wall_colour']),
        'wall_ragged': chosen(bank, one.uniform(0.1, 0.4, walls), g['wall_ragged']),
        'wall_blocky': g['wall_blocky'] * (1 - bank),
    }
