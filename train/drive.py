#!/usr/bin/env python3
"""Draws a short drive along one of the renderer's roads, as a video."""

import argparse
import math
import subprocess

import torch

from road import renderer

AHEAD = ('patch_z', 'crossing_z', 'stop_z', 'bridge_z')  # distances of what lies on or over the road
STILL = ('skid', 'caption')
TRAFFIC = 3  # vehicles that are there in any case


def scene(seed, number):
    """A picture's scene, seen whole rather than cut."""
    g = renderer.sample(seed, torch.tensor([number]))
    g['cut'] = torch.zeros_like(g['cut'])
    for name in STILL:
        g[name] = torch.zeros_like(g[name])
    g['car_here'][:, :TRAFFIC] = 1
    return g


def moved(g, time, speed):
    """The scene some seconds later: further along the road, which bends to and fro, among traffic."""
    way = speed * time
    g = dict(g)
    g['phase'] = g['phase'] + way
    for name in AHEAD:
        g[name] = g[name] - way
    g['bridge'] = g['bridge'] * (g['bridge_z'] > 5)
    swing = 2 * math.pi * time / 9
    g['curvature'] = g['curvature'] + 8e-4 * math.sin(swing)
    g['camera_d'] = g['camera_d'] + 0.18 * math.sin(swing * 1.3)
    g['pitch'] = g['pitch'] + 0.0012 * math.sin(time * 7)
    pace = torch.cos(torch.arange(g['car_z'].shape[1]) * 2.4) * 3  # of each vehicle, beside our own
    g['car_z'] = g['car_z'] + time * (pace - g['car_oncoming'] * 2 * speed)
    return g


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    ap.add_argument('out', help='video file to write, by the ffmpeg program')
    ap.add_argument('--seed', type=int, default=3)
    ap.add_argument('--number', type=int, default=0, help='of the scene')
    ap.add_argument('--frames', type=int, default=200)
    ap.add_argument('--rate', type=int, default=25)
    ap.add_argument('--speed', type=float, default=24, help='metres a second')
    ap.add_argument('--size', default='960x540')
    ap.add_argument('--quality', type=int, default=25, help='of H.264, 0 to 51: the less, the better and larger')
    a = ap.parse_args()
    width, height = map(int, a.size.split('x'))
    # JPEG's blocks want sizes that 8 divides; what is too much is cropped.
    drawer = renderer.Renderer(-(-width // 8) * 8, -(-height // 8) * 8)
    encoder = subprocess.Popen(
        ['ffmpeg', '-loglevel', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'bgr24']
        + ['-s', f'{drawer.width}x{drawer.height}', '-r', str(a.rate), '-i', '-', '-vf', f'crop={width}:{height}:0:0']
        + ['-c:v', 'libx264', '-preset', 'medium', '-crf', str(a.quality), '-pix_fmt', 'yuv420p', '-movflags']
        + ['+faststart', a.out],
        stdin=subprocess.PIPE,
    )
    start = scene(a.seed, a.number)
    for i in range(a.frames):
        picture = drawer.render(moved(start, i / a.rate, a.speed), a.seed, i)[0][0]
        encoder.stdin.write((picture * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy().tobytes())
    encoder.stdin.close()
    if encoder.wait():
        raise SystemExit(f'{a.out}: ffmpeg failed')


if __name__ == '__main__':
    main()
