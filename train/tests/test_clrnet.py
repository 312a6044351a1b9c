"""Tests of the network, its losses, assignment, decoding and metric; parity with the reference where ../shared is."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np
import torch

import parts
from clrnet import assign, decode, losses, metric, model
from clrnet.head import ROWS
from road import labels, picture, renderer

SHARED = os.environ.get('LANERT_SHARED', os.path.join(os.path.dirname(__file__), '..', '..', '..', 'shared'))
REFERENCE = os.path.join(SHARED, 'reference')


def as_prediction(lanes, sure=4.0):
    """Raw predictions [B, T, 78] that say exactly what the targets say."""
    logit = (lanes[..., :1] * 2 - 1) * sure
    return torch.cat([-logit / 2, logit / 2, lanes[..., 1:]], -1)


class ReferenceTest(unittest.TestCase):
    def setUp(self):
        if not os.path.isdir(REFERENCE):
            self.skipTest(f'{REFERENCE} is not there')

    def test_names_shapes_and_types(self):
        with open(os.path.join(REFERENCE, 'state_dict_keys.json')) as f:
            wanted = json.load(f)
        for arch in ('resnet18', 'resnet34'):
            mine = [[k, list(v.shape), str(v.dtype)] for k, v in model.CLRNet(arch).state_dict().items()]
            self.assertEqual(mine, wanted[arch])

    def test_raw_predictions(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'made.pth')
            subprocess.run(
                [sys.executable, os.path.join(REFERENCE, 'make_checkpoint.py'), 'resnet18', '4', path], check=True
            )
            net = model.load(path)
        goldens = os.path.join(REFERENCE, 'goldens')
        for name in ('adv_test1', 'p1_solidWhiteRight'):
            pixels = picture.read(os.path.join(goldens, 'preprocess', f'{name}.culane.linear.png'))
            with torch.no_grad():
                mine = net(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)[0][-1][0].numpy()
            golden = np.fromfile(os.path.join(goldens, 'resnet18-culane-seed4', name + '.f32'), '<f4').reshape(192, 78)
            self.assertLess(float((np.abs(mine - golden) / (1 + np.abs(golden))).max()), 1e-4)

    def test_decoded_lanes(self):
        goldens = os.path.join(REFERENCE, 'goldens')
        with open(os.path.join(goldens, 'lanes.json')) as f:
            cases = [c for c in json.load(f) if 'culane' in c['case']]
        self.assertTrue(cases)
        cut = 270 / 590
        for c in cases:
            path = os.path.join(goldens, c['case'], os.path.splitext(c['image'])[0] + '.f32')
            found = decode.lanes(np.fromfile(path, '<f4').reshape(192, 78), 0.4, 50, 4)
            self.assertEqual(len(found), len(c['lanes']), path)
            for (_, mine), lane in zip(found, c['lanes']):
                wanted = np.array(lane['points'])[::-1]
                mine = np.stack([mine[:, 0], mine[:, 1] * (1 - cut) + cut], 1)
                self.assertEqual(mine.shape, wanted.shape, path)
                self.assertLess(np.abs(mine - wanted).max(), 1e-4)


class AssignTest(unittest.TestCase):
    def test_perfect_predictions_are_matched_to_their_lanes(self):
        lanes = labels.make(renderer.sample(1, torch.arange(16)))
        index = assign.assign(as_prediction(lanes), lanes)
        for b in range(16):
            for t in range(lanes.shape[1]):
                if lanes[b, t, 0] > 0:
                    self.assertEqual(int(index[b, t]), t)

    def test_no_lanes_no_matches(self):
        lanes = torch.zeros(2, 6, labels.COLUMNS)
        self.assertTrue((assign.assign(torch.randn(2, 30, 78), lanes) == -1).all())

    def test_wild_predictions_do_no_harm(self):
        lanes = labels.make(renderer.sample(1, torch.arange(4)))
        pred = torch.randn(4, 30, 78)
        pred[:, :5, 6:] = 1e30
        index = assign.assign(pred, lanes)
        self.assertTrue((index < lanes.shape[1]).all())


class LossTest(unittest.TestCase):
    def test_perfect_predictions_cost_next_to_nothing(self):
        lanes = labels.make(renderer.sample(1, torch.arange(16)))
        good = losses.stage_loss(as_prediction(lanes, 20.0), lanes)
        self.assertLess(float(good['cls']), 1e-3)
        self.assertLess(float(good['start']), 1e-3)
        self.assertLess(float(good['iou']), 1e-3)
        moved = lanes.clone()
        moved[..., 2] += 0.05
        moved[..., 5:] += 0.05
        worse = losses.stage_loss(as_prediction(moved, 20.0), lanes)
        self.assertGreater(float(worse['iou']), 0.5)

    def test_gradients_reach_every_parameter(self):
        torch.manual_seed(0)
        net = model.CLRNet(width=0.25)
        torch.nn.init.normal_(net.heads.roi_gather.W.weight)
        pictures, lanes = renderer.Renderer(160, 64).batch(1, torch.arange(2))
        stages, seg = net(pictures, torch.arange(0, 192, 2))
        total, _ = losses.loss(stages, seg, lanes, labels.side(lanes), net.heads.criterion.weight)
        total.backward()
        missing = [n for n, p in net.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
        self.assertEqual(missing, [])

    def test_nothing_is_made_on_another_device(self):
        """On the meta device, as on a GPU, a tensor of the CPU among the rest is an error."""
        net = model.CLRNet(width=0.25).to('meta')
        lanes = torch.zeros(2, labels.MAX_LANES, labels.COLUMNS, device='meta')
        pictures = torch.zeros(2, 3, 64, 160, device='meta')
        try:
            with mock.patch('torch.autocast', lambda *_, **__: contextlib.nullcontext()):
                stages, seg = net(pictures)
            total, _ = losses.loss(stages, seg, lanes, labels.side(lanes), net.heads.criterion.weight)
        except NotImplementedError as e:
            self.skipTest(f'this PyTorch cannot: {e}')
        self.assertEqual(total.device.type, 'meta')


class DecodeTest(unittest.TestCase):
    def test_targets_survive_the_way_through_decode(self):
        lanes = labels.make(renderer.sample(9, torch.arange(24)))
        tally = metric.Count()
        for raw, target in zip(as_prediction(lanes).numpy(), lanes.numpy()):
            rows = np.linspace(1, 0, ROWS)
            wanted = [np.stack([t[5:], rows], 1)[t[5:] > -1] for t in target if t[0] > 0]
            tally.add([p for _, p in decode.lanes(raw, most=9)], wanted, 0.5)
        self.assertGreater(tally.f1(0.75), 0.99)

    def test_near_duplicates_are_suppressed_best_kept(self):
        raw = np.zeros((3, 6 + ROWS), np.float32)
        raw[:, 5] = 1
        raw[:, 6:] = np.array([0.5, 0.51, 0.7])[:, None]
        kept = decode.suppress(raw, np.array([0.6, 0.9, 0.8]), 50, 4)
        self.assertEqual(kept, [1, 2])

    def test_hostile_numbers(self):
        raw = np.full((4, 6 + ROWS), np.nan, np.float32)
        raw[1] = 1e30
        self.assertIsInstance(decode.lanes(raw), list)


class MetricTest(unittest.TestCase):
    def test_same_lane_and_shifted_lane(self):
        lane = np.stack([np.full(20, 0.5), np.linspace(0.4, 1, 20)], 1)
        self.assertAlmostEqual(metric.overlaps([lane], [lane], 0.36)[0, 0], 1)
        half = metric.overlaps([lane], [lane + (15 / 1640, 0)], 0.36)[0, 0]
        self.assertAlmostEqual(half, 1 / 3, delta=0.05)

    def test_matching_is_the_best_one(self):
        iou = np.array([[0.6, 0.5], [0.55, 0.0]])
        self.assertEqual(sorted(metric.match(iou)), [(0, 1), (1, 0)])


class PartsTest(unittest.TestCase):
    def test_split_and_join(self):
        state = {'net': {'a': torch.randn(2000, 3000), 'b': torch.arange(3), 'c': torch.randn(5)}, 'step': 7}
        with tempfile.TemporaryDirectory() as folder:
            size, parts.PART = parts.PART, 4 << 20
            try:
                parts.split(folder, state)
            finally:
                parts.PART = size
            self.assertGreater(len(os.listdir(folder)), 1)
            back = parts.join(folder)
        self.assertEqual(back['step'], 7)
        self.assertTrue(
            torch.equal(back['net']['b'], state['net']['b']) and torch.equal(back['net']['c'], state['net']['c'])
        )
        self.assertTrue(torch.allclose(back['net']['a'], state['net']['a'], atol=3e-3))


if __name__ == '__main__':
    unittest.main()
