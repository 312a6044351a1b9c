"""Tests of drawn pictures as files."""

import os
import tempfile
import unittest
from unittest import mock

import numpy as np
import torch

import evaluate
import pictures
from road import renderer


class PicturesTest(unittest.TestCase):
    def setUp(self):
        self.drawer = renderer.Renderer(240, 96)

    def test_the_part_below_the_cut_is_what_the_network_is_trained_on(self):
        for number in range(2):
            whole, lanes = pictures.drawn(self.drawer, 5, number)
            below, targets = self.drawer.batch(5, torch.tensor([number]))
            self.assertEqual(whole.shape, (3, 144, 240))
            self.assertTrue(torch.equal(whole[:, 48:], below[0]))
            wanted = evaluate.wanted(targets[0].numpy())
            self.assertEqual(len(lanes), len(wanted))
            for mine, theirs in zip(lanes, wanted):
                np.testing.assert_array_equal(mine, theirs)

    def test_files_hold_the_lanes_in_culanes_pixels(self):
        with tempfile.TemporaryDirectory() as folder:
            line = ['pictures.py', folder, '--seed', '5', '--first', '2', '--count', '2', '--size', '240x96']
            with mock.patch('sys.argv', line):
                pictures.main()
            self.assertEqual(sorted(os.listdir(folder)), ['00002.lines.txt', '00002.png', '00003.lines.txt', '00003.png'])
            _, lanes = pictures.drawn(self.drawer, 5, 3)
            read = evaluate.labels(os.path.join(folder, '00003.lines.txt'), *pictures.CULANE)
            self.assertEqual(len(read), len(lanes))
            for mine, theirs in zip(read, lanes):
                np.testing.assert_allclose(mine, theirs, atol=1e-4)


if __name__ == '__main__':
    unittest.main()
