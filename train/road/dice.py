"""dice.py - random numbers that depend on nothing but (seed, picture, name)."""

import math
import zlib

import torch

MASK = 0xFFFFFFFF


def mix(x):
    """A bijection of 32-bit numbers held in int64 (the 'lowbias32' integer hash of C. Wellons)."""
    x = (x ^ (x >> 16)) * 0x7FEB352D & MASK
    x = (x ^ (x >> 15)) * 0x846CA68B & MASK
    return x ^ (x >> 16)


class Dice:
    """A stream of numbers for each picture of a batch; every call returns [B, *shape].

    A picture's numbers depend on its index alone, never on the batch it is drawn in, so that a run
    can stop, go on and be repeated. Each name has a stream of its own: a new parameter in one room
    changes no other room.
    """

    def __init__(self, seed, indices, name=''):
        self.seed, self.indices, self.count = seed, indices, 0
        salt = mix(torch.tensor((seed * 0x9E3779B1 + zlib.crc32(name.encode())) & MASK))
        self.key = mix((indices.to(torch.int64) & MASK) ^ salt)

    def stream(self, name):
        return Dice(self.seed, self.indices, name)

    def uniform(self, low=0.0, high=1.0, shape=()):
        n = math.prod(shape)
        k = torch.arange(self.count, self.count + n, dtype=torch.int64) * 0x9E3779B1 & MASK
        self.count += n
        bits = mix(mix(self.key[:, None] ^ k) + self.key[:, None] & MASK)
        u = (bits >> 8).to(torch.float32) * (1 / (1 << 24))
        return (low + (high - low) * u).reshape(-1, *shape)

    def log_uniform(self, low, high, shape=()):
        return torch.exp(self.uniform(math.log(low), math.log(high), shape))

    def normal(self, mean=0.0, deviation=1.0, shape=()):
        radius = torch.sqrt(-2 * torch.log(self.uniform(1e-7, 1, shape)))
        return mean + deviation * radius * torch.cos(self.uniform(0, 2 * math.pi, shape))

    def flag(self, chance, shape=()):
        """1.0 with the given chance, else 0.0."""
        return (self.uniform(0, 1, shape) < chance).to(torch.float32)

    def choice(self, weights, shape=()):
        """An index into weights, int64."""
        edges = torch.tensor(weights, dtype=torch.float32).cumsum(0)
        return torch.bucketize(self.uniform(0, float(edges[-1]), shape), edges[:-1].contiguous())

    def pick(self, values, weights, shape=()):
        """One of the given numbers (or equally long tuples, which add a last axis)."""
        return torch.tensor(values, dtype=torch.float32)[self.choice(weights, shape)]
