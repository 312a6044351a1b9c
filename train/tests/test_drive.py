"""Tests of the drive: one road, which passes by."""

import unittest

import torch

import drive
from road import labels, renderer


class DriveTest(unittest.TestCase):
    def test_a_road_passes_by(self):
        start = drive.scene(3, 0)
        drawer = renderer.Renderer(160, 88)
        pictures, lanes = zip(*(drawer.render(drive.moved(start, t, 20), 3, 0) for t in (0, 0.04, 4)))
        near, far = ((pictures[i] - pictures[0]).abs().mean() for i in (1, 2))
        self.assertTrue(0 < near < far)
        self.assertTrue(bool((lanes[0][..., 0] == lanes[1][..., 0]).all()))

    def test_the_whole_picture_is_drawn(self):
        whole = drive.scene(3, 0)
        cut = {**whole, 'cut': torch.full_like(whole['cut'], 1 / 3)}
        high, low = (labels.make(g)[0, 0] for g in (whole, cut))
        self.assertGreater(float(high[0]), 0)
        # The same lane: its length as a share of what is seen grows with the cut.
        self.assertLess(float(high[4]), float(low[4]))


if __name__ == '__main__':
    unittest.main()
