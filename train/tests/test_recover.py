"""A checkpoint that was made of a model computes what the model's own checkpoint does, and trains as it does."""

import os
import subprocess
import tempfile
import unittest

import torch

from clrnet import model
from tests.test_lanert import LANERT, lively

try:
    import recover
except ModuleNotFoundError as e:
    if e.name != 'onnx':
        raise
    recover = None


@unittest.skipUnless(LANERT, 'LANERT names no program')
@unittest.skipUnless(recover, 'no onnx for this Python')
class RecoverTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.checkpoint, self.model = (os.path.join(folder.name, name) for name in ('net.pth', 'net.onnx'))
        self.net = lively(9)
        model.save(self.checkpoint, self.net.state_dict())
        torch.manual_seed(2)
        self.pictures = torch.rand(4, 3, 96, 160)

    def recovered(self, *options):
        subprocess.run([LANERT, 'convert', self.checkpoint, '-o', self.model, '--preset', 'road', '--force', '-q', *options], check=True)
        return recover.recover(self.model, [self.pictures[:2], self.pictures[2:]])

    def apart(self, a, b):
        """How far the networks' logits, and x on the picture, lie apart at most."""
        with torch.no_grad():
            a, b = a(self.pictures)[0][-1], b(self.pictures)[0][-1]
        near = (a[..., 6:] > 0) & (a[..., 6:] < 1)
        return float((a - b)[..., :2].abs().max()), float((a - b)[..., 6:][near].abs().max())

    def test_it_computes_the_same(self):
        logits, x = self.apart(self.net, self.recovered())
        self.assertLess(logits, 1e-4)
        self.assertLess(x, 1e-4)

    def test_of_half_precision_too(self):
        logits, x = self.apart(self.net, self.recovered('--precision', 'fp16', '--keep-priors', '96'))
        self.assertLess(logits, 0.05)
        self.assertLess(x, 0.02)

    def test_it_trains_from_where_it_is(self):
        net = self.recovered()
        with torch.no_grad():
            before = net(self.pictures)[0][-1]
            for module in net.modules():
                module.training = isinstance(module, torch.nn.BatchNorm2d)
            after = net(self.pictures)[0][-1]
        self.assertLess(float((after - before)[..., :2].abs().mean()), 0.05 * float(before[..., :2].std()))

    def test_a_model_without_a_tensor_is_refused(self):
        self.recovered()
        stored = recover.onnx.load(self.model)
        gone = next(t for t in stored.graph.initializer if t.name == 'neck.lateral_convs.0.conv.weight')
        stored.graph.initializer.remove(gone)
        recover.onnx.save(stored, self.model)
        with self.assertRaisesRegex(ValueError, 'net.onnx: not the weights of a CLRNet of resnet18.*neck.lateral_convs.0'):
            recover.recover(self.model, [self.pictures])


if __name__ == '__main__':
    unittest.main()
