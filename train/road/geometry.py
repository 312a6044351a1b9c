"""geometry.py - the camera, the road's course, and the way between pixels and the road.

Frames. Level frame: camera at the origin, X right, Y down, Z forward, Y vertical; a ray is (u, v, 1).
Road coordinates: d across (metres, right positive, 0 at the leftmost lane line), z forward; the course
x_c(z) is a cubic, so d = (X - x_c(z)) * cos(heading(z)) and back are exact inverses at one z.
Picture coordinates are normalised: x in 0..1 over the width, y in 0..1 over the rows below the cut.
"""

import math
from collections import namedtuple

import torch

from .texture import fused

CUT = 1 / 3  # preset `road`: the top third is cut away (see README.md); a scene's field `cut` may say otherwise
NEAR, FAR = 1.0, 600.0
STEPS = 320  # samples of the ground's profile, logarithmic in z

# u, v: the ray; z: distance of the ground (FAR where none); ground: 1.0 where the ray meets it;
# d: across; s: along; across, along: metres a pixel covers in these directions.
Ground = namedtuple('Ground', 'u v z ground d s across along')


def sample(dice):
    """The camera and the course. Statistics of CULane's and TuSimple's lanes: see README.md."""
    one = dice.stream('camera')
    aspect = one.pick((16 / 9, 1640 / 590, 4 / 3, 2.0), (0.62, 0.22, 0.1, 0.06))
    hfov = one.uniform(42, 95) * math.pi / 180
    focal = 0.5 / torch.tan(hfov / 2)  # in picture widths
    lorry = one.flag(0.08)
    height = one.uniform(1.1, 1.75) * (1 - lorry) + one.uniform(1.8, 2.7) * lorry
    horizon = one.uniform(0.30, 0.56)  # share of the whole height
    centre = one.normal(0.5, 0.015)
    camera = {
        'aspect': aspect,
        'focal': focal,
        'height': height,
        'horizon': horizon,
        'centre_x': one.normal(0.5, 0.01),
        'centre_y': centre,
        'roll': one.normal(0, 0.012),
        'cut': torch.full_like(height, CUT),
        'distortion': one.uniform(-0.02, 0.2) * one.flag(0.6),
    }
    camera['pitch'] = pitch(camera, horizon)
    two = dice.stream('course')
    bent = two.flag(0.55)
    radius = two.log_uniform(120, 2500)
    side = two.pick((-1, 1), (1, 1))
    curvature = bent * side / radius
    change = two.normal(0, 1.2e-5) * two.flag(0.4) + two.normal(0, 8e-5) * two.flag(0.08)
    hilly = two.flag(0.4)
    course = {
        'heading': two.normal(0, 0.02) + two.normal(0, 0.07) * two.flag(0.15),
        'curvature': curvature,
        'change': change,
        'bend': hilly * two.normal(0, 4e-4),  # vertical curvature, 1/m
        'hill': hilly * two.normal(0, 1.2),
        'hill_length': two.uniform(120, 400),
        # A line is labelled up to this many picture heights below the horizon of a flat road.
        'reach': two.uniform(0.022, 0.038),
        'phase': two.uniform(0, 1000),
    }
    return {**camera, **course}


def pitch(camera, horizon):
    """The camera's pitch that puts the horizon at that share of the whole height."""
    return torch.atan((horizon - camera['centre_y']) / (camera['aspect'] * camera['focal']))


def column(x, like):
    """[B] shaped to broadcast against like [B, ...]."""
    return x.reshape(-1, *([1] * (like.dim() - 1)))


def elevation(g, z):
    k = lambda n: column(g[n], z)
    wave = k('hill') * (1 - torch.cos(z * (2 * math.pi) / k('hill_length')))
    return k('bend') * z.clamp(max=150) ** 2 / 2 + wave


def course(g, z):
    """x_c(z) for a road whose d = 0 passes below the camera, and 1/cos(heading)."""
    k = lambda n: column(g[n], z)
    x = z * (k('heading') + z * (k('curvature') / 2 + z * k('change') / 6))
    slope = k('heading') + z * (k('curvature') + z * k('change') / 2)
    return x, torch.sqrt(1 + slope * slope)


def profile(g):
    """z [STEPS], v of the visible ground at each z [B, STEPS] (falling), and whether that z is seen."""
    z = torch.exp(torch.linspace(math.log(NEAR), math.log(FAR), STEPS, device=g['height'].device))
    z = z.expand(g['height'].shape[0], STEPS)
    v = (g['height'][:, None] - elevation(g, z)) / z
    seen = torch.cummin(v, 1).values
    return z, seen, v <= seen + 1e-6


def rays(g, width, height):
    """u, v [B, H, W] of each pixel of the network's input."""
    device = g['height'].device
    x = (torch.arange(width, device=device) + 0.5) / width
    y = (torch.arange(height, device=device) + 0.5) / height
    y, x = torch.meshgrid(y, x, indexing='ij')
    k = lambda n: g[n][:, None, None]
    y = y * (1 - k('cut')) + k('cut')
    x = (x - k('centre_x')) / k('focal')
    y = (y - k('centre_y')) / (k('aspect') * k('focal'))
    warp = 1 + k('distortion') * (x * x + y * y)
    return level(g, x * warp, y * warp)


def level(g, x, y):
    """A camera ray (x, y, 1), undistorted, as a level ray u, v."""
    c, s = (column(f(g['roll']), x) for f in (torch.cos, torch.sin))
    x, y = c * x - s * y, s * x + c * y
    c, s = (column(f(g['pitch']), x) for f in (torch.cos, torch.sin))
    forward = c + s * y
    return x / forward, (c * y - s) / forward


def undistort(r, k):
    """Distorted radius over undistorted radius r: Newton's method on s + k s^3 = r, from above."""
    r = torch.where(k < 0, r.clamp(1e-4, 1.5), r.clamp(min=1e-4))
    s = torch.minimum(r, (r / k.abs().clamp(min=1e-3)) ** (1 / 3))
    s = torch.where(k < 0, r, s)
    for _ in range(6):
        s = s - (s + k * s**3 - r) / (1 + 3 * k * s * s)
    return s / r


def project(g, u, v):
    """A level ray as normalised picture coordinates: the inverse of rays()."""
    k = lambda f, n: column(f(g[n]), u)
    c, s = k(torch.cos, 'pitch'), k(torch.sin, 'pitch')
    depth = c - s * v
    x, y = u / depth, (c * v + s) / depth
    c, s = k(torch.cos, 'roll'), k(torch.sin, 'roll')
    x, y = c * x + s * y, c * y - s * x
    k = lambda n: column(g[n], u)
    warp = undistort(torch.sqrt(x * x + y * y), k('distortion'))
    x, y = x * warp, y * warp
    px = x * k('focal') + k('centre_x')
    py = y * k('aspect') * k('focal') + k('centre_y')
    return px, (py - k('cut')) / (1 - k('cut'))


@fused
def ground(g, width, height):
    """Where each pixel meets the ground: a Ground of [B, H, W] fields."""
    u, v = rays(g, width, height)
    z_table, v_table, _ = profile(g)
    shape, flat = v.shape, v.flatten(1)
    index = torch.searchsorted(-v_table, -flat.contiguous()).clamp(1, STEPS - 1)
    pick = lambda t, i: torch.gather(t, 1, i)
    v0, v1 = pick(v_table, index - 1), pick(v_table, index)
    w0, w1 = 1 / pick(z_table, index - 1), 1 / pick(z_table, index)
    share = ((v0 - flat) / (v0 - v1 + 1e-7)).clamp(0, 1)  # v is about height / z: linear in 1/z
    z = (1 / (w0 + (w1 - w0) * share)).reshape(shape)
    hit = (v > v_table[:, -1:, None]).to(v.dtype)
    x, stretch = course(g, z)
    d = (u * z - x) / stretch
    k = lambda n: g[n][:, None, None]
    across = z / (k('focal') * width)
    steep = torch.maximum(v.abs(), k('height') / z * 0.5)
    along = (z / (k('focal') * k('aspect') * height / (1 - k('cut'))) / steep).clamp(max=60)
    return Ground(u, v, z, hit, d + k('camera_d'), z + k('phase'), across, along)


def lines(g, d, shift=None):
    """Lane lines at d [B, L] (road coordinates) as polylines in the picture: x, y, seen [B, L, STEPS].

    shift [B, L, STEPS], when given, is added to d along the way. seen is false behind crests and beyond reach.
    """
    z, v, seen = profile(g)
    x, stretch = course(g, z)
    across = (d - g['camera_d'][:, None])[..., None]
    if shift is not None:
        across = across + shift
    u = (x[:, None] + across * stretch[:, None]) / z[:, None]
    count = d.shape[1]
    spread = lambda t: t[:, None].expand(-1, count, -1)
    px, py = project(g, u, spread(v))
    limit = g['height'] * g['focal'] * g['aspect'] / g['reach']
    return px, py, spread(seen & (z < limit[:, None]))


def wall_distance(g, u, d):
    """z where the ray's plane u meets the vertical sheet at d [B] (road coordinates); FAR where never."""
    k = lambda n: g[n][:, None, None]
    offset = (d - g['camera_d'])[:, None, None]
    q = u - k('heading')
    side = torch.where(offset < 0, -torch.ones_like(offset), torch.ones_like(offset))
    z = torch.full_like(u, 30.0)
    for _ in range(2):
        curvature = k('curvature') + k('change') * z.clamp(max=120) / 3
        root = q * q - 2 * curvature * offset
        below = q + side * torch.sqrt(root.clamp(min=0))
        z = 2 * offset / torch.where(below.abs() < 1e-6, torch.full_like(below, 1e-6), below)
        z = torch.where((root >= 0) & (z > 0), z, torch.full_like(z, FAR)).clamp(max=FAR)
    return z
