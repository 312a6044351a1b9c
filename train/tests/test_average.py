"""An average of two checkpoints is a checkpoint, between the two in every weight."""

import unittest

import torch

import average
from clrnet import model
from tests.test_lanert import lively


class AverageTest(unittest.TestCase):
    def test_each_weight_is_between(self):
        old, new = lively(3), lively(4)
        state = average.average(old, new, 0.75)
        name = 'heads.cls_layers.weight'
        expected = 0.25 * old.state_dict()[name] + 0.75 * new.state_dict()[name]
        self.assertTrue(torch.allclose(state[name], expected, atol=1e-7))
        lively(5).load_state_dict(state)

    def test_all_of_one_is_that_one(self):
        old, new = lively(3), lively(4)
        for share, net in ((0, old), (1, new)):
            state = average.average(old, new, share)
            for name, value in net.state_dict().items():
                if value.is_floating_point():
                    self.assertTrue(torch.equal(state[name], value), name)

    def test_networks_of_other_shapes_are_refused(self):
        wide, narrow = model.CLRNet('resnet18', 0.25), model.CLRNet('resnet18', 0.125)
        with self.assertRaisesRegex(ValueError, 'different networks'):
            average.average(narrow, wide, 0.5)


if __name__ == '__main__':
    unittest.main()
