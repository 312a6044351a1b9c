"""renderer.py - from picture numbers to pictures and targets."""

import torch

from . import city, freeway, geometry, labels, layout, lens, light, markings, roadside, surface, vehicles
from .dice import Dice
from .texture import Fusion, Noise, absent, blend


def sample(seed, indices, freeways=0.0, uneven=0.0, cities=0.0):
    """The scenes of the given picture numbers: a dict of tensors [B, …] on the CPU.

    Harder than what is measured, for training: cities is the share of the roads that become streets, freeways that of
    the divided ones that become some, uneven that of all whose lanes differ in breadth.
    """
    dice = Dice(seed, indices)
    g = geometry.sample(dice)
    g |= light.sample(dice)
    g |= layout.sample(dice, uneven)
    g |= markings.sample(dice, g)
    g |= surface.sample(dice, g)
    g |= roadside.sample(dice, g)
    g |= vehicles.sample(dice, g)
    g |= lens.sample(dice, g)
    g |= city.sample(dice, g, cities)
    g |= freeway.sample(dice, g, freeways)
    g['mirrored'] = dice.stream('mirror').flag(0.35)  # traffic keeps left, signs and yellow lines with it
    return g


def draw(g, width, height, noise, grain):
    """Pictures [B, 3, height, width], BGR, 0..1, of scenes that lie on the noise's device."""
    ground = geometry.ground(g, width, height)
    index = layout.nearest(g, ground.d)
    albedo, wear, snow = surface.cover(g, ground, index, noise)
    albedo, paint = markings.paint(g, ground, index, albedo, wear)
    albedo = blend(albedo, 0.86 + 0 * albedo, snow * 0.6)
    none = torch.zeros_like(ground.z)
    lit = light.fall(g, ground, noise)
    lit = vehicles.shadows(g, ground, lit)
    colour = light.shine(g, ground, albedo, paint, lit)
    dark = (1 - 0.985 * g['night'] - 0.7 * g['dusk'])[:, None, None, None]
    colour = blend(roadside.sky(g, ground.u, ground.v, noise) * dark, light.air(g, colour, ground.z), ground.ground)
    if not absent(g['sparkle']):
        colour = colour + light.sparkles(g, ground.u, ground.v, noise)
    # What stands up is drawn as albedo over nothing, lit by its own distance, and laid over the rest.
    depth = torch.where(ground.ground > 0, ground.z, torch.full_like(ground.z, geometry.FAR))
    standing, depth, upright = roadside.stand(g, ground, torch.zeros_like(colour), depth, none, noise)
    standing, depth, upright, glow = vehicles.drive(g, ground, standing, depth, upright)
    standing = light.air(g, standing * light.standing(g, ground.u, depth), depth)
    colour = light.glare(g, colour * (1 - upright)[:, None] + standing, ground.u, ground.v) + glow
    picture = lens.record(g, lens.veil(g, colour, noise), grain)
    picture = torch.where(g['mirrored'][:, None, None, None] > 0, picture.flip(3), picture)
    return picture.flip(1)


def mirror(lanes, mirrored):
    """Targets as seen in a mirror, where mirrored [B] is set; lanes stay ordered from left to right."""
    x = torch.where(lanes[..., 5:] > -1, 1 - lanes[..., 5:], lanes[..., 5:])
    flipped = torch.cat([lanes[..., :2], 1 - lanes[..., 2:3], 1 - lanes[..., 3:4], lanes[..., 4:5], x], -1)
    flipped = torch.where(lanes[..., :1] > 0, flipped, lanes)
    real = flipped[..., 0]
    order = torch.argsort(
        torch.where(real > 0, -torch.arange(lanes.shape[1], device=lanes.device).to(real), 9 + 0 * real),
        dim=1,
        stable=True,
    )
    flipped = torch.gather(flipped, 1, order[..., None].expand_as(flipped))
    return torch.where(mirrored[:, None, None] > 0, flipped, lanes)


def moved(scenes, device):
    """The scenes' fields on a device: one copy, then views."""
    if device.type == 'cpu':
        return scenes
    names, fields = zip(*scenes.items())
    flat = torch.cat([f.reshape(len(f), -1).to(torch.float32) for f in fields], 1).to(device, non_blocking=True)
    pieces = flat.split([f[0].numel() for f in fields], 1)
    return {n: p.reshape(f.shape) for n, p, f in zip(names, pieces, fields)}


class Renderer:
    """Draws batches at one size on one device."""

    def __init__(self, width, height, device='cpu', compiled=False):
        assert width % 8 == 0 and height % 8 == 0, 'JPEG blocks need sizes that 8 divides'
        self.width, self.height, self.device = width, height, torch.device(device)
        self.noise = Noise(self.device)
        self.compiled = compiled
        if compiled:
            from torch import _dynamo

            _dynamo.config.suppress_errors = True  # what cannot be compiled runs as it is

    def batch(self, seed, indices):
        """Pictures [B, 3, H, W] and targets [B, MAX_LANES, COLUMNS] of the given picture numbers."""
        return self.render(sample(seed, indices), seed, int(indices[0]))

    @torch.no_grad()
    def render(self, scenes, seed, number):
        g = moved(scenes, self.device)
        Fusion.on = self.compiled
        generator = torch.Generator(self.device).manual_seed((seed << 32 ^ number) & (1 << 62) - 1)
        count = len(scenes['height'])
        grain = torch.randn(count, 3, self.height, self.width, device=self.device, generator=generator)
        part = 1 if self.device.type == 'cpu' else count  # what fits a core's cache; and draws only what is there
        pictures = [
            draw({k: v[i : i + part] for k, v in g.items()}, self.width, self.height, self.noise, grain[i : i + part])
            for i in range(0, count, part)
        ]
        return torch.cat(pictures), mirror(labels.make(g), g['mirrored'])
