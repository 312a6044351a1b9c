"""vehicles.py - cars, vans and lorries as shaded boxes, which hide markings, with their shadows and lamps."""
import torch

from . import geometry, layout
from .texture import absent, blend, smooth

VEHICLES = 7
PAINTS = ((.75, .76, .78), (.06, .06, .07), (.35, .36, .38), (.2, .21, .23), (.45, .06, .05), (.08, .14, .35), (.6, .55, .45))


def sample(dice, g):
    one = dice.stream('vehicles')
    n = (VEHICLES,)
    busy = one.pick((0.0, 0.2, 0.45, 0.75), (0.2, 0.35, 0.3, 0.15))[:, None]
    count = (g['line_count'][:, None] - 1).float()
    lane = torch.floor(one.uniform(0, 1, n) * count).long()
    left = torch.gather(g['line_d'], 1, lane)
    right = torch.gather(g['line_d'], 1, lane + 1)
    d = (left + right) / 2 + one.normal(0, 0.25, n)
    parked = one.flag(0.1, n)
    d = d * (1 - parked) + parked * (g['road_end'][:, None] + one.uniform(0.5, 3, n))
    own = ((d - g['camera_d'][:, None]).abs() < 2.2).float()
    z = one.log_uniform(3.5, 140, n) * (1 - own) + one.log_uniform(8, 140, n) * own
    kind = one.choice((0.66, 0.17, 0.17), n)
    pick = lambda a, b, c: torch.tensor([a, b, c])[kind]
    return {
        'car_here': one.flag(1.0, n) * (one.uniform(0, 1, n) < busy).float(),
        'car_d': d, 'car_z': z,
        'car_width': pick(1.8, 2.0, 2.5) * one.uniform(0.95, 1.05, n),
        'car_high': pick(1.5, 2.1, 3.6) * one.uniform(0.92, 1.12, n),
        'car_long': pick(4.4, 5.2, 11.) * one.uniform(0.9, 1.2, n),
        'car_taper': pick(0.24, 0.1, 0.0), 'car_box': (kind == 2).float(),
        'car_colour': one.pick(PAINTS, (0.3, 0.2, 0.15, 0.12, 0.08, 0.08, 0.07), n) * one.uniform(0.8, 1.2, (VEHICLES, 1)),
        'car_oncoming': (lane < g['oncoming'][:, None]).float() * (1 - parked),
        'car_brake': one.flag(0.3, n), 'car_shadow': one.uniform(0.3, 0.85, (1,)).expand(-1, VEHICLES),
        'car_lights': torch.maximum(g['night'], one.flag(0.12))[:, None] * one.flag(0.97, n),
    }


def frames(g):
    """Each vehicle's place and heading in the level frame: x, ground's y, z, cos, sin [B, VEHICLES]."""
    z = g['car_z']
    k = lambda n: g[n][:, None]
    x, stretch = geometry.course(g, z)
    slope = k('heading') + z * (k('curvature') + z * k('change') / 2)
    cos = 1 / torch.sqrt(1 + slope * slope)
    x = x + (g['car_d'] - k('camera_d')) * stretch
    return x, k('height') - geometry.elevation(g, z), z, cos, slope * cos


def shadows(g, ground, light):
    """Dims light [B, 3, H, W] on the ground below and beside the vehicles."""
    x0, _, z0, cos, sin = frames(g)
    gx, shade = ground.u * ground.z, torch.ones_like(ground.z)
    for i in range(VEHICLES):
        if absent(g['car_here'][:, i]):
            continue
        k = lambda t: t[:, i, None, None]
        dx, dz = gx - k(x0), ground.z - k(z0)
        a, b = dx * k(cos) - dz * k(sin), dx * k(sin) + dz * k(cos)
        soft = 0.25 + 0.3 * k(g['car_high'])
        width, length = k(g['car_width']) / 2, k(g['car_long'])
        lean = a - g['sun_side'][:, None, None] * 0.35 * k(g['car_high'])
        inside = smooth((width + 0.15 - a.abs()) / soft + 0.5) * smooth((b + 0.3) / soft + 0.5)
        cast = smooth((width - lean.abs()) / soft + 0.5) * smooth((b + 0.5) / soft + 0.5)
        inside = torch.maximum(inside, cast * g['sunny'][:, None, None]) * smooth((length - b) / soft + 0.5)
        shade = shade * (1 - inside * k(g['car_shadow']) * k(g['car_here']))
    return light * shade[:, None]


def drive(g, ground, albedo, depth, upright):
    """Draws the vehicles over albedo; returns albedo, depth, upright, glow (tail and head lamps, [B, 3, H, W])."""
    x0, y0, z0, cos, sin = frames(g)
    glow = torch.zeros_like(albedo)
    red, white = (torch.tensor(c, device=albedo.device).reshape(1, 3, 1, 1) for c in ((1., .06, .03), (1., .95, .8)))
    for i in range(VEHICLES):
        if absent(g['car_here'][:, i]):
            continue
        k = lambda t: t[:, i, None, None]
        c, s, wide, high, long = k(cos), k(sin), k(g['car_width']), k(g['car_high']), k(g['car_long'])
        lx, lz = k(z0) * s - k(x0) * c, -k(x0) * s - k(z0) * c      # the camera in the vehicle's frame
        dx, dz = ground.u * c - s, ground.u * s + c
        safe = lambda t: torch.where(t.abs() < 1e-5, torch.full_like(t, 1e-5), t)
        dx, dz, dy = safe(dx), safe(dz), safe(-ground.v)
        ax, bx = (-wide / 2 - lx) / dx, (wide / 2 - lx) / dx
        az, bz = -lz / dz, (long - lz) / dz
        ay, by = -k(y0) / dy, (high - k(y0)) / dy
        in_x, in_z, in_y = torch.minimum(ax, bx), torch.minimum(az, bz), torch.minimum(ay, by)
        t = torch.maximum(torch.maximum(in_x, in_z), in_y)
        out = torch.minimum(torch.minimum(torch.maximum(ax, bx), torch.maximum(az, bz)), torch.maximum(ay, by))
        a, b = (lx + t * dx) / wide, (k(y0) + t * dy) / high
        along = (lz + t * dz) / long
        back = (t == in_z).to(t.dtype)
        lean = 0.5 - k(g['car_taper']) * ((b - 0.5) * 2).clamp(min=0)
        slope = (1 - k(g['car_box'])) * ((b - 0.55) / 0.45).clamp(min=0) * 0.16
        body = (a.abs() <= lean + (1 - back) * 0.01) & (along >= slope * (1 - back)) & (along <= 1 - 2 * slope)
        hit = ((t < out) & (t > 0.5) & (t < depth) & body).to(t.dtype) * k(g['car_here'])
        soft = lambda x: smooth(x * 14 + 0.5)
        pane = soft(0.34 - (a.abs() - 0.06).clamp(min=0)) * soft(b - 0.56) * soft(0.92 - b) * back
        pane = torch.maximum(pane, soft(b - 0.58) * soft(0.9 - b) * soft(0.36 - (along - 0.5).abs()) * (1 - back))
        pane = pane * (1 - k(g['car_box']))
        wheel = smooth(0.11 - torch.minimum((along - 0.18).abs(), (along - 0.82).abs()) * 1.0 + 0.5 - b * 2) * (1 - back)
        under = soft(0.16 - b) * (0.6 + 0.4 * soft(a.abs() - 0.3))
        lamp = soft(a.abs() - 0.36) * soft(b - 0.36 / (1 + k(g['car_box']))) * soft(0.52 / (1 + 2 * k(g['car_box'])) - b) * back
        plate = soft(0.13 - a.abs()) * soft(b - 0.3) * soft(0.4 - b) * back
        colour = g['car_colour'][:, i, :, None, None] * (0.75 + 0.25 * back + 0.25 * b)[:, None]
        colour = blend(colour, 0.08 + 0 * colour, pane * 0.85)
        colour = blend(colour, 0.03 + 0 * colour, torch.maximum(under, wheel * 0.9).clamp(max=1))
        colour = blend(colour, 0.7 + 0 * colour, plate * (1 - k(g['car_box'])))
        face = k(g['car_oncoming'])[:, None]
        tint = red * (1 - face) + white * face
        colour = blend(colour, tint * 0.6 + 0 * colour, lamp * 0.8)
        albedo = blend(albedo, colour, hit)
        depth = torch.where(hit > 0.5, t, depth)
        upright = torch.maximum(upright, hit)
        glow = glow * (1 - hit[:, None])
        if absent(g['car_lights'][:, i]):
            continue
        power = k(g['car_lights']) * k(g['car_here']) * (0.25 + k(g['car_oncoming']) * 1.2 + 0.4 * k(g['car_brake']))
        glow = glow + tint * (lamps(g, ground, i, x0, y0, z0, cos, sin) * power)[:, None]
    return albedo, depth, upright, glow


def lamps(g, ground, i, x0, y0, z0, cos, sin):
    """The pair of lamps of vehicle i with its bloom, and its streak on a wet road."""
    k = lambda t: t[:, i, None, None]
    half = k(g['car_width']) * 0.4
    v = (k(y0) - 0.7) / k(z0)
    size = 0.09 / k(z0) + 0.0012
    total = torch.zeros_like(ground.u)
    for side in (-1, 1):
        du = ground.u - (k(x0) + side * half * k(cos)) / (k(z0) - side * half * k(sin))
        dv = ground.v - v
        r = (du * du + dv * dv) / (size * size)
        streak = torch.exp(-(du / (size * 1.6)) ** 2) * torch.exp(-dv.clamp(min=0) * 9) * (dv > 0).to(dv.dtype)
        total = total + 1.4 / (1 + r) ** 1.5 + 0.02 / (1 + r / 60) + streak * g['wet'][:, None, None] * 0.5
    return total
