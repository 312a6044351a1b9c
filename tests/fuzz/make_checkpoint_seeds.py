#!/usr/bin/env python3
"""Writes corpus/checkpoint/torch-zip.pth and torch-legacy.pth: what torch.save itself makes of views, every kind of
float, and the reference's training state, in small. tests/model/test_checkpoint.c knows the values."""
import collections
import os

import torch

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus', 'checkpoint')


def state_dict():
    base = torch.arange(12, dtype=torch.float32) / 4
    tensors = {
        'base': base.view(4, 3),
        'transposed': base.view(4, 3).t(),
        'slice': base[2:7:2],
        'half': torch.tensor([1, -0.5, 65504]).half(),
        'bfloat': torch.tensor([1, -0.5, 3.140625]).bfloat16(),
        'double': torch.tensor([0.1, 1e-30], dtype=torch.float64),
        'flags': torch.tensor([True, False, True]),
        'batches': torch.tensor(54321),
    }
    named = collections.OrderedDict(('module.' + name, tensor) for name, tensor in tensors.items())
    named._metadata = collections.OrderedDict([('', {'version': 1})])
    return named


def main():
    torch.manual_seed(1)
    model = torch.nn.Linear(2, 1)
    optim = torch.optim.AdamW(model.parameters(), lr=6e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optim, 100)
    model(torch.ones(1, 2)).sum().backward()
    optim.step()
    scheduler.step()
    checkpoint = {'net': state_dict(), 'optim': optim.state_dict(), 'scheduler': scheduler.state_dict(),
                  'recorder': {'step': 3}, 'epoch': 14}
    torch.save(checkpoint, os.path.join(FOLDER, 'torch-zip.pth'))
    torch.save(checkpoint, os.path.join(FOLDER, 'torch-legacy.pth'), _use_new_zipfile_serialization=False)


if __name__ == '__main__':
    main()
