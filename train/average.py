#!/usr/bin/env python3
"""Averages the weights of two checkpoints, one of them trained on from the other.

    average.py BEFORE.pth AFTER.pth OUT.pth --share 0.85
"""

import argparse
import pickle
import sys

from clrnet import model


def average(before, after, share):
    """The state of network `after` with `share` of its own weights, and the rest of those of `before`, of one shape."""
    old, new = before.state_dict(), after.state_dict()
    for name, value in new.items():
        if name not in old or old[name].shape != value.shape:
            raise ValueError(f'the checkpoints are of different networks: {name} is not the same in both')
    return {name: old[name].lerp(value, share) if value.is_floating_point() else value for name, value in new.items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('before')
    ap.add_argument('after')
    ap.add_argument('out')
    ap.add_argument('--share', type=float, default=0.5, help="of AFTER's weights (default: %(default)s)")
    a = ap.parse_args()
    try:
        model.save(a.out, average(model.load(a.before), model.load(a.after), a.share))
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as e:
        sys.exit(f'average.py: {e}')


if __name__ == '__main__':
    main()
