#!/usr/bin/env python3
"""A training state in files small enough to carry: half precision, 15 MiB each.

As a program: makes the checkpoint of such parts, `parts.py FOLDER OUT.pth`.
"""

import argparse
import io
import os

import torch

from clrnet import model

PART = 15 << 20


def half(value):
    """Matrices and filters in half precision; vectors (norms, biases), the priors' lines and all else as they are."""
    if isinstance(value, dict):
        return {k: v if k.startswith('heads.prior') else half(v) for k, v in value.items()}
    if torch.is_tensor(value):
        value = value.detach().cpu().contiguous()
        return value.half() if value.is_floating_point() and value.dim() > 1 else value
    return value


def full(value):
    if isinstance(value, dict):
        return {k: full(v) for k, v in value.items()}
    return value.float() if torch.is_tensor(value) and value.dtype == torch.float16 else value


def split(folder, state):
    """Writes state as folder/state.0, state.1, …"""
    buffer = io.BytesIO()
    torch.save(half(state), buffer)
    data = buffer.getbuffer()
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        if old.startswith('state.'):
            os.remove(os.path.join(folder, old))
    for i in range(0, len(data), PART):
        with open(os.path.join(folder, f'state.{i // PART}'), 'wb') as f:
            f.write(data[i : i + PART])


def join(folder):
    """The state that split() wrote, in single precision."""
    data, i = b'', 0
    while os.path.exists(path := os.path.join(folder, f'state.{i}')):
        with open(path, 'rb') as f:
            data += f.read()
        i += 1
    if not i:
        raise FileNotFoundError(f'{folder}: no state.0 there')
    return full(torch.load(io.BytesIO(data), map_location='cpu'))


def release(folder, out, half_precision):
    """Writes the averaged network of a folder's parts as a checkpoint of the reference's form."""
    state = join(folder)
    average = state['average']
    net = model.CLRNet(
        width=average['backbone.model.conv1.weight'].shape[0] / 64, priors=average['heads.priors'].shape[0]
    )
    net.load_state_dict(average)
    net.heads.settle()
    model.save(out, half(net.state_dict()) if half_precision else net.state_dict(), state['step'])
    return state


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('folder')
    ap.add_argument('out')
    ap.add_argument('--half', action='store_true', help='matrices and filters in half precision')
    a = ap.parse_args()
    state = release(a.folder, a.out, a.half)
    print(f"{a.out}: after {state['step']} steps, {state['drawn']} pictures")


if __name__ == '__main__':
    main()
