"""freeway.py - concrete freeways with raised dots, joints beside their lines and dense traffic, to train more on."""

import torch

from . import geometry, layout, markings, surface, vehicles


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
        'car_z': 3.5 * (g['car_z'] / 3.5) ** 0.8,  # to 67 metres instead of 140
    }
    return {k: torch.where(here.reshape(-1, *[1] * (v.dim() - 1)) > 0, v, g[k]) for k, v in changed.items()}
