"""markings.py - paint and dots: lane lines, and the arrows, crossings and letters that are no lane lines."""

import torch

from . import layout
from .texture import absent, band, blend, dashes, fused, item, smooth

LINES = layout.LINES
GHOSTS = 2
DULLEST = 0.62  # albedo of the darkest white that lines are painted with
# period and painted length of dashes, metres: US, CN motorway, CN city, DE motorway, DE road, UK, block, dense
PATTERNS = (
    (12.2, 3.05),
    (15.0, 6.0),
    (10.0, 4.0),
    (18.0, 6.0),
    (12.0, 4.0),
    (9.0, 3.0),
    (6.0, 2.0),
    (2.0, 1.0),
    (4.0, 2.0),
)
PATTERN_WEIGHTS = (0.3, 0.14, 0.12, 0.12, 0.1, 0.08, 0.08, 0.02, 0.04)


def roles(g):
    slot = torch.arange(LINES)
    last = g['line_count'][:, None] - 1
    real = (slot <= last).float()
    centre = ((slot == g['oncoming'][:, None]) & (g['oncoming'][:, None] > 0)).float() * real
    edge = ((slot == 0) | (slot == last)).float() * real
    return real, edge, centre, real - edge - centre


def colours(dice, yellow):
    """Albedo [B, n, 3] of white or yellow paint."""
    n = yellow.shape[1]
    white = dice.uniform(DULLEST, 1.0, (n, 1)) * (1 + dice.normal(0, 0.02, (n, 3)))
    gold = dice.uniform(0.6, 0.95, (n, 1)) * torch.stack(
        [torch.ones_like(yellow), dice.uniform(0.62, 0.82, (n,)), dice.uniform(0.1, 0.5, (n,))], -1
    )
    return white + (gold - white) * yellow[..., None]


def sample(dice, g):
    one = dice.stream('markings')
    real, edge, centre, divider = roles(g)
    whole = lambda chance: one.flag(chance)[:, None]
    botts = whole(0.16)
    solid = edge * one.flag(0.86, (LINES,)) + centre * one.flag(0.55, (LINES,)) + divider * one.flag(0.1, (LINES,))
    dots = divider * botts + edge * botts * whole(0.15) + centre * botts * whole(0.5)
    double = centre * one.flag(0.5, (LINES,)) + divider * one.flag(0.03, (LINES,)) + edge * one.flag(0.02, (LINES,))
    left = (torch.arange(LINES) == 0).float() * g['divided'][:, None]
    yellow = ((centre * whole(0.65) + left * whole(0.5)) + divider * whole(0.02)).clamp(max=1)
    missing = edge * one.flag(0.1, (LINES,)) + divider * one.flag(0.02, (LINES,)) + centre * one.flag(0.03, (LINES,))
    bare = whole(0.05)
    pattern = one.pick(PATTERNS, PATTERN_WEIGHTS)
    period = pattern[:, :1].expand(-1, LINES) * one.uniform(0.9, 1.1, (1,))
    duty = (pattern[:, 1:] / pattern[:, :1]) * one.uniform(0.85, 1.15, (1,))
    worn = one.uniform(shape=(1,)) ** 2.5
    painted = real * (1 - missing) * (1 - bare)
    lines = {
        'painted': painted,
        'solid': solid,
        'dots': dots,
        'double': double,
        'width': one.uniform(0.09, 0.2, (1,)) * (1 + 0.15 * one.normal(0, 1, (LINES,)).clamp(-2, 2)),
        'wide': one.flag(0.05, (LINES,)) * (1 - double),
        'gap': one.uniform(0.08, 0.3, (LINES,)),  # of double lines: 0.12 in Germany, 0.1 to 0.3 in China
        'period': period,
        'duty': duty.expand(-1, LINES),
        'phase': (one.uniform(0, 40, (LINES,)) * one.flag(0.4, (1,))) + one.uniform(0, 40, (1,)),
        'strength': one.uniform(0.75, 1, (LINES,)) * (1 - 0.45 * worn * one.uniform(0, 1, (LINES,))),
        'wear': (worn * one.uniform(0.3, 1.1, (LINES,))),
        'half': double * one.flag(0.3, (LINES,)),  # one of the two is dashed
        # dots stand in groups (4 in 14.6 m in California) or all along
        'dot_step': one.pick((1.2, 1.5, 2.0, 3.65), (0.5, 0.2, 0.15, 0.15), (1,)).expand(-1, LINES),
        'dot_share': one.pick((0.36, 1.0), (0.7, 0.3), (1,)).expand(-1, LINES),
        'dot_size': one.uniform(0.1, 0.22, (1,)).expand(-1, LINES),
        'under': one.flag(0.35, (LINES,)) * one.uniform(0.1, 0.7, (LINES,)),  # paint below the dots
        'halo': one.flag(0.25, (1,)) * one.uniform(-0.4, 0.25, (LINES,)),  # ground beside the paint
    }
    lines['width'] = lines['width'] * (1 + 1.2 * lines['wide'])
    marks = {'line_' + k: v for k, v in lines.items()}
    marks['line_colour'] = colours(one, yellow)
    two = dice.stream('signs')
    marks |= {
        'arrows': two.flag(0.22),
        'arrow_gap': two.uniform(18, 60),
        'arrow_phase': two.uniform(0, 60),
        'arrow_bend': two.pick((-1, 0, 1), (0.25, 0.5, 0.25)),
        'letters': two.flag(0.08),
        'letter_phase': two.uniform(0, 60),
        'crossing': two.flag(0.06),
        'crossing_z': two.uniform(5, 45),
        'crossing_step': two.uniform(0.8, 1.2),
        'stop': two.flag(0.07),
        'stop_z': two.uniform(4, 40),
        'hatch': two.flag(0.08),
        'hatch_slope': two.uniform(-1.2, 1.2),
        'hatch_period': two.uniform(2, 6),
        'ghost_here': two.flag(0.12, (GHOSTS,)) * two.uniform(0.08, 0.3, (GHOSTS,)),
        'ghost_tone': two.pick((0.1, 0.8), (0.45, 0.55), (GHOSTS,)),
        'ghost_d': two.uniform(-1.5, 8.5, (GHOSTS,)),
        'ghost_slope': two.normal(0, 0.006, (GHOSTS,)),
        'ghost_duty': two.pick((1.0, 0.3), (0.6, 0.4), (GHOSTS,)),
        'sign_paint': two.uniform(0.45, 0.95),
    }
    return marks


@fused
def lane_lines(g, ground, index, wear, albedo):
    """Paints the lane lines; returns albedo and their coverage [B, H, W]."""
    at = lambda name: layout.at(g[name], index)
    q = ground.d - at('line_d')
    # Far away a line keeps a pixel's breadth less than a camera shows of it; look at three quarters of a pixel.
    across, along = ground.across * 0.8, ground.along * 0.8
    s = ground.s + at('line_phase')
    solid, dots, double = at('line_solid'), at('line_dots'), at('line_double')
    dash = torch.maximum(dashes(s, at('line_period'), at('line_duty'), along), solid)
    width, apart = at('line_width'), at('line_gap') * double
    first = band(q, -apart / 2 - width * double / 2, width, across)
    second = band(q, apart / 2 + width * double / 2, width, across)
    first = first * torch.maximum(dash, at('line_half'))
    second = second * dash
    paint = torch.maximum(first, second * double)
    size, step = at('line_dot_size'), at('line_dot_step')
    row = dashes(s, 14.6 * torch.ones_like(s), at('line_dot_share'), along) * dashes(s, step, size / step, along)
    studs = band(q, torch.zeros_like(q), size, across) * row
    alpha = paint * (1 - dots) + torch.maximum(studs, paint * at('line_under')) * dots
    kept = 1 - at('line_wear') * wear * (1 - 0.5 * dots)
    halo = smooth(1 - (q.abs() - width / 2 - apart) / 0.25) * at('line_halo') * at('line_painted')
    colour = torch.stack([layout.at(g['line_colour'][..., c], index) for c in range(3)], 1)
    alpha = (alpha * at('line_strength') * kept * at('line_painted')).clamp(0, 1)
    return blend(albedo * (1 + halo[:, None] * 0.5), colour, alpha), alpha


@fused
def signs(g, ground, index):
    """Coverage of the paint that is no lane line: arrows, letters, crossings, stop lines, hatching."""
    k = lambda n: g[n][:, None, None]
    across, along = ground.across, ground.along
    side = torch.sign(ground.d - layout.at(g['line_d'], index))
    x = (ground.d - layout.at(g['line_d'], index)) * side - k('lane_width') / 2  # from the lane's middle
    inside = ((ground.d > 0) & (ground.d < k('road_end'))).to(x.dtype)
    t = torch.remainder(ground.s + k('arrow_phase'), k('arrow_gap'))
    bend = x * side - k('arrow_bend') * smooth((t - 2) / 2.5) * 0.5
    shaft = band(bend, torch.zeros_like(x), torch.full_like(x, 0.2), across) * band(
        t, 2.0, torch.full_like(x, 4.0), along
    )
    head = band(bend, torch.zeros_like(x), ((6.2 - t) / 2.2 * 0.9).clamp(min=0) + 1e-3, across)
    head = head * band(t, 5.1, torch.full_like(x, 2.2), along)
    mark = torch.maximum(shaft, head) * k('arrows')
    t2 = torch.remainder(ground.s + k('letter_phase'), 47.0)
    strokes = dashes(x + 0.31 * torch.floor(t2 * 1.3), torch.full_like(x, 0.55), torch.full_like(x, 0.4), across)
    letters = strokes * band(t2, 3.0, torch.full_like(x, 3.5), along) * (x.abs() < 1.1).to(x.dtype)
    mark = torch.maximum(mark, letters * k('letters'))
    zebra = dashes(ground.d, k('crossing_step'), 0.5 * torch.ones_like(x), across)
    zebra = zebra * band(ground.z, k('crossing_z'), torch.full_like(x, 3.5), along)
    mark = torch.maximum(mark, zebra * k('crossing'))
    mark = torch.maximum(mark, band(ground.z, k('stop_z'), torch.full_like(x, 0.4), along) * k('stop'))
    mark = mark * inside
    slanted = dashes(ground.s + ground.d * k('hatch_slope') * 2, k('hatch_period'), 0.3 * torch.ones_like(x), along)
    beyond = smooth((ground.d - k('road_end') - 0.1) / 0.1) * smooth((k('road_end') + 2 - ground.d) / 0.1)
    return torch.maximum(mark, slanted * beyond * k('hatch'))


def paint(g, ground, index, albedo, noise):
    """The ground's albedo [B, 3, H, W] with everything that is painted on it; also the paint's share."""
    fine, coarse = noise
    wear = smooth((fine * 0.6 + coarse * 0.6 - 0.35) * 2.2)
    for i in range(GHOSTS):
        if absent(g['ghost_here'][:, i]):
            continue
        albedo = ghost(item(g, 'ghost_', i), ground, albedo, fine)
    sign = torch.zeros_like(wear)
    if not absent(g['arrows'] + g['letters'] + g['crossing'] + g['stop'] + g['hatch']):
        sign = signs(g, ground, index) * (1 - 0.7 * wear * g['line_wear'][:, :1, None].clamp(max=1))
        albedo = blend(albedo, g['sign_paint'][:, None, None, None].expand_as(albedo), sign * 0.9)
    albedo, alpha = lane_lines(g, ground, index, wear, albedo)
    return albedo, torch.maximum(alpha, sign)


@fused
def ghost(one, ground, albedo, fine):
    """A line that was painted over or ground away."""
    k = lambda n: one[n][:, None, None]
    d = k('d') + k('slope') * ground.z
    old = band(ground.d, d, torch.full_like(d, 0.14), ground.across)
    old = old * dashes(ground.s, torch.full_like(old, 12.0), k('duty'), ground.along)
    return blend(albedo, k('tone')[:, None].expand_as(albedo), old * k('here') * (0.4 + 0.6 * fine))
