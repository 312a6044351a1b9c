"""Tests of the measure of videos."""

import unittest

import steady


def lane(x, slope=0.0):
    """A lane that crosses the bottom of a 1000x500 picture at x."""
    return {'score': 1, 'points': [[x + slope * (500 - y), y] for y in range(200, 501, 20)]}


def frame(*lanes):
    return {'width': 1000, 'height': 500, 'lanes': list(lanes)}


class SteadyTest(unittest.TestCase):
    def test_the_own_lane_needs_both_its_lines(self):
        left, right = (0.2, 0.3), (0.7, 0.8)
        self.assertTrue(steady.own_lane(frame(lane(100), lane(250), lane(750)), 0.9, left, right))
        self.assertFalse(steady.own_lane(frame(lane(100), lane(250)), 0.9, left, right))
        self.assertFalse(steady.own_lane(frame(), 0.9, left, right))

    def test_a_short_line_is_carried_on(self):
        short = {'points': [[300 + y, 100.0 + y] for y in range(0, 100, 10)]}
        self.assertAlmostEqual(steady.crossing(short, 400), 600)

    def test_a_jump_is_a_lane_that_moved(self):
        still = frame(lane(250, 0.5), lane(750, -0.5))
        self.assertFalse(steady.jumps(still, frame(lane(270, 0.5), lane(740, -0.5)), 40))
        self.assertTrue(steady.jumps(still, frame(lane(300, 0.5), lane(740, -0.5)), 40))
        # One that comes or goes is none.
        self.assertFalse(steady.jumps(still, frame(lane(250, 0.5)), 40))
        self.assertFalse(steady.jumps(frame(), still, 40))


if __name__ == '__main__':
    unittest.main()
