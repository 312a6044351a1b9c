"""vehicles.py - cars, vans and lorries as shaded boxes, which hide markings, with their shadows and lamps."""

import torch

from . import geometry
from .texture import absent, blend, fused, item, smooth

VEHICLES = 7
PAINTS = (
    (0.75, 0.76, 0.78),
    (0.06, 0.06, 0.07),
    (0.35, 0.36, 0.38),
    (0.2, 0.21, 0.23),
    (0.45, 0.06, 0.05),
    (0.08, 0.14, 0.35),
    (0.6, 0.55, 0.45),
)


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
        'car_here': (one.uniform(0, 1, n) < busy).float(),
        'car_d': d,
        'car_z': z,
        'car_width': pick(1.8, 2.0, 2.5) * one.uniform(0.95, 1.05, n),
        'car_high': pick(1.5, 2.1, 3.6) * one.uniform(0.92, 1.12, n),
        'car_long': pick(4.4, 5.2, 11.0) * one.uniform(0.9, 1.2, n),
        'car_taper': pick(0.05, 0.03, 0.0),
        'car_box': (kind == 2).float(),
        'car_colour': one.pick(PAINTS, (0.3, 0.2, 0.15, 0.12, 0.08, 0.08, 0.07), n)
        * one.uniform(0.8, 1.2, (VEHICLES, 1)),
        'car_oncoming': (lane < g['oncoming'][:, None]).float() * (1 - parked),
        'car_brake': one.flag(0.3, n),
        'car_shadow': one.uniform(0.3, 0.85, (1,)).expand(-1, VEHICLES),
        'car_lights': torch.maximum(g['night'], one.flag(0.12))[:, None] * one.flag(0.97, n),
    }


def places(g):
    """The vehicles' places as fields car_x, car_y (the ground's), car_cos, car_sin: level frame, [B, VEHICLES]."""
    z = g['car_z']
    k = lambda n: g[n][:, None]
    x, stretch = geometry.course(g, z)
    slope = k('heading') + z * (k('curvature') + z * k('change') / 2)
    cos = 1 / torch.sqrt(1 + slope * slope)
    return {
        'car_x': x + (g['car_d'] - k('camera_d')) * stretch,
        'car_y': k('height') - geometry.elevation(g, z),
        'car_cos': cos,
        'car_sin': slope * cos,
    }


def present(g):
    """The vehicles to draw, each a dict of [B] fields."""
    g = {**{k: v for k, v in g.items() if k.startswith('car_')}, **places(g)}
    return [item(g, 'car_', i) for i in range(VEHICLES) if not absent(g['car_here'][:, i])]


def shadows(g, ground, light):
    """Dims light [B, 3, H, W] on the ground below and beside the vehicles."""
    shade = torch.ones_like(ground.z)
    for car in present(g):
        shade = shadow(car, g['sun_side'], g['sunny'], ground.u, ground.z, shade)
    return light * shade[:, None]


@fused
def shadow(car, sun_side, sunny, u, z, shade):
    k = lambda n: car[n][:, None, None]
    dx, dz = u * z - k('x'), z - k('z')
    a, b = dx * k('cos') - dz * k('sin'), dx * k('sin') + dz * k('cos')
    soft = 0.25 + 0.3 * k('high')
    half = k('width') / 2
    lean = a - sun_side[:, None, None] * 0.35 * k('high')
    below = smooth((half + 0.15 - a.abs()) / soft + 0.5) * smooth((b + 0.3) / soft + 0.5)
    cast = smooth((half - lean.abs()) / soft + 0.5) * smooth((b + 0.5) / soft + 0.5)
    inside = torch.maximum(below, cast * sunny[:, None, None]) * smooth((k('long') - b) / soft + 0.5)
    return shade * (1 - inside * k('shadow') * k('here'))


def drive(g, ground, albedo, depth, upright):
    """Draws the vehicles over albedo; returns albedo, depth, upright and the lamps' glow, [B, 3, H, W]."""
    albedo, depth, upright, glow = albedo.clone(), depth.clone(), upright.clone(), torch.zeros_like(albedo)
    red, white = (
        torch.tensor(c, device=albedo.device).reshape(1, 3, 1, 1) for c in ((1.0, 0.06, 0.03), (1.0, 0.95, 0.8))
    )
    for car in present(g):
        tint = red + (white - red) * car['oncoming'][:, None, None, None]
        place = window(car, ground.u, ground.v)
        if place is None:
            albedo, depth, upright, glow = body(car, tint, ground.u, ground.v, albedo, depth, upright, glow)
        else:
            fields = [t[place] for t in (ground.u, ground.v, albedo, depth, upright, glow)]
            for field, new in zip(fields[2:], body.__wrapped__(car, tint, *fields)):  # no two have the same size: uncompiled
                field.copy_(new)
        if not absent(car['lights']):
            glow = lamps(car, tint, g['wet'], ground.u, ground.v, glow)
    return albedo, depth, upright, glow


def window(car, u, v):
    """An index of the part of the picture that the vehicle may cover; None for all of it.

    For one picture on the CPU, where a part costs less; elsewhere the whole is drawn.
    """
    if u.device.type != 'cpu' or len(u) > 1:
        return None
    half = car['width'] / 2 * car['cos'].new_tensor([[-1], [1], [-1], [1]])
    ahead = car['long'] * car['cos'].new_tensor([[0], [0], [1], [1]])
    z = car['z'] - half * car['sin'] + ahead * car['cos']
    if float(z.min()) < 0.5:
        return None
    side = (car['x'] + half * car['cos'] + ahead * car['sin']) / z
    up, down = (car['y'] - car['high']) / z, car['y'] / z
    inside = (u >= side.min()) & (u <= side.max()) & (v >= up.min()) & (v <= down.max())
    rows, columns = (torch.nonzero(inside.any(d)[0])[:, 0].tolist() or [0] for d in (2, 1))
    return (Ellipsis, slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))


def safe(x):
    return torch.where(x.abs() < 1e-5, torch.full_like(x, 1e-5), x)


@fused
def body(car, tint, u, v, albedo, depth, upright, glow):
    """A box in the vehicle's own frame (x right, y up, z ahead from its rear), cut to a cabin, painted by place."""
    k = lambda n: car[n][:, None, None]
    wide, high, long = k('width'), k('high'), k('long')
    lx, lz = k('z') * k('sin') - k('x') * k('cos'), -k('x') * k('sin') - k('z') * k('cos')  # the camera's place
    dx, dz, dy = safe(u * k('cos') - k('sin')), safe(u * k('sin') + k('cos')), safe(-v)
    ax, bx = (-wide / 2 - lx) / dx, (wide / 2 - lx) / dx
    az, bz = -lz / dz, (long - lz) / dz
    ay, by = -k('y') / dy, (high - k('y')) / dy
    in_x, in_z, in_y = torch.minimum(ax, bx), torch.minimum(az, bz), torch.minimum(ay, by)
    t = torch.maximum(torch.maximum(in_x, in_z), in_y)
    out = torch.minimum(torch.minimum(torch.maximum(ax, bx), torch.maximum(az, bz)), torch.maximum(ay, by))
    a, b, along = (lx + t * dx) / wide, (k('y') + t * dy) / high, (lz + t * dz) / long
    back = (t == in_z).to(t.dtype)
    narrow = 0.5 - k('taper') * ((b - 0.5) * 2).clamp(min=0)
    slope = (1 - k('box')) * ((b - 0.55) / 0.45).clamp(min=0) * 0.16
    cabin = (a.abs() <= narrow + (1 - back) * 0.2) & (along <= 1 - 2 * slope)
    hit = ((t < out) & (t > 0.5) & (t < depth) & cabin).to(t.dtype) * k('here')
    colour = blend(albedo, painted(car, tint, a, b, along, back), hit)
    return colour, torch.where(hit > 0.5, t, depth), torch.maximum(upright, hit), glow * (1 - hit[:, None])


def painted(car, tint, a, b, along, back):
    """Colour [B, 3, H, W] of a vehicle at a (across, -0.5..0.5), b (up, 0..1), along (0..1); back: on its rear."""
    box = car['box'][:, None, None]
    soft = lambda x: smooth(x * 14 + 0.5)
    pane = soft(0.34 - (a.abs() - 0.06).clamp(min=0)) * soft(b - 0.56) * soft(0.92 - b) * back
    pane = torch.maximum(pane, soft(b - 0.58) * soft(0.9 - b) * soft(0.36 - (along - 0.5).abs()) * (1 - back))
    wheel = smooth(0.61 - torch.minimum((along - 0.18).abs(), (along - 0.82).abs()) - b * 2) * (1 - back)
    under = soft(0.16 - b) * (0.6 + 0.4 * soft(a.abs() - 0.3))
    lamp = soft(a.abs() - 0.36) * soft(b - 0.36 / (1 + box)) * soft(0.52 / (1 + 2 * box) - b) * back
    plate = soft(0.13 - a.abs()) * soft(b - 0.3) * soft(0.4 - b) * back
    colour = car['colour'][..., None, None] * (0.75 + 0.25 * back + 0.25 * b)[:, None]
    colour = blend(colour, torch.full_like(colour, 0.08), pane * (1 - box) * 0.85)
    colour = blend(colour, torch.full_like(colour, 0.03), torch.maximum(under, wheel * 0.9).clamp(max=1))
    colour = blend(colour, torch.full_like(colour, 0.7), plate * (1 - box))
    return blend(colour, (tint * 0.6).expand_as(colour), lamp * 0.8)


@fused
def lamps(car, tint, wet, u, v, glow):
    """Adds a vehicle's pair of lamps, with bloom and with streaks on a wet road."""
    k = lambda n: car[n][:, None, None]
    z = k('z').clamp(min=0.5)
    size = 0.09 / z + 0.0012
    dv = v - (k('y') - 0.7) / z
    total = torch.zeros_like(u)
    for side in (-0.4, 0.4):
        offset = side * k('width')
        du = u - (k('x') + offset * k('cos')) / (z - offset * k('sin'))
        r = (du * du + dv * dv) / (size * size)
        streak = torch.exp(-((du / (size * 1.6)) ** 2)) * torch.exp(-dv.clamp(min=0) * 9) * (dv > 0).to(dv.dtype)
        total = total + 1.4 / (1 + r) ** 1.5 + 0.02 / (1 + r / 60) + streak * wet[:, None, None] * 0.5
    ahead = (k('z') > 0.5).to(u.dtype)
    power = ahead * k('lights') * k('here') * (0.25 + k('oncoming') * 1.2 + 0.4 * k('brake'))
    return glow + tint * (total * power)[:, None]
