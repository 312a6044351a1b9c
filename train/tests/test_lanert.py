"""What lanert makes of a checkpoint finds the lanes that the training's own network finds: full size and shrunk."""

import json
import os
import subprocess
import tempfile
import unittest

import numpy as np
import torch

import evaluate
from clrnet import decode, model
from road import picture

LANERT = os.environ.get('LANERT')  # the program
PIXELS = 2.0  # lanert rounds the resized picture to bytes
SCORE = 0.02


def lively(seed):
    """A network all of whose parts have a say in its lanes."""
    torch.manual_seed(seed)
    net = model.CLRNet(width=0.125)
    for name, tensor in net.state_dict().items():
        if 'running_var' in name:
            tensor.uniform_(0.5, 1.5)
        elif 'running_mean' in name or name.startswith('heads.roi_gather.W.'):
            tensor.normal_(0, 0.2)
        elif name == 'heads.cls_layers.weight':
            tensor.normal_(0, 0.3)
        elif name == 'heads.reg_layers.weight':
            tensor.normal_(0, 0.004)
        elif name == 'heads.reg_layers.bias':
            tensor.normal_(0, 0.004)
            tensor[3] = 0.8  # long lanes
    return net.eval()


@unittest.skipUnless(LANERT, 'LANERT names no program')
class LanertTest(unittest.TestCase):
    def compare(self, width, height, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = lambda name: os.path.join(folder, name)
            net = lively(5)
            model.save(path('net.pth'), net.state_dict())
            torch.manual_seed(1)
            blobs = torch.rand(1, 3, 18, 32)
            blobs = torch.nn.functional.interpolate(blobs, (720, 1280), mode='bilinear', align_corners=False)[0]
            picture.write_png(path('a.png'), blobs)
            subprocess.run([LANERT, 'convert', path('net.pth'), '-o', path('net.onnx'), '--preset', 'road', *options, '-q'], check=True)
            subprocess.run([LANERT, 'detect', path('a.png'), '-m', path('net.onnx'), '-o', path('a.jsonl'), '-q'], check=True)
            with open(path('a.jsonl')) as f:
                found = json.loads(f.readline())['lanes']
            shown, _ = evaluate.prepared(path('a.png'), (width, height))
            expected = decode.lanes(evaluate.raw(net, shown, (width, height))[0])
        self.assertGreater(len(expected), 1)
        self.assertEqual(len(found), len(expected))
        for lane, (score, points) in zip(found, expected):
            self.assertAlmostEqual(lane['score'], score, delta=SCORE)
            mine = np.array(sorted(lane['points'], key=lambda p: p[1]))
            theirs = evaluate.whole(points) * (1280, 720)
            theirs = theirs[np.argsort(theirs[:, 1])]
            top, bottom = max(mine[0, 1], theirs[0, 1]), min(mine[-1, 1], theirs[-1, 1])
            rows = np.linspace(top, bottom, 20)
            off = np.interp(rows, mine[:, 1], mine[:, 0]) - np.interp(rows, theirs[:, 1], theirs[:, 0])
            self.assertLess(np.abs(off).max(), PIXELS)

    def test_full_size(self):
        self.compare(800, 320)

    def test_shrunk(self):
        self.compare(400, 160, '--shrink', '2')


if __name__ == '__main__':
    unittest.main()
