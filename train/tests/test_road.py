"""Tests of the renderer: run with `python3 -m unittest discover -s train -t train` (seconds)."""

import unittest

import torch

from road import city, dice, geometry, labels, layout, renderer, roadside, texture

SIZE = (160, 64)


class DiceTest(unittest.TestCase):
    def test_numbers_depend_on_the_index_alone(self):
        together = dice.Dice(3, torch.arange(10), 'x').uniform(shape=(4,))
        alone = dice.Dice(3, torch.tensor([7]), 'x').uniform(shape=(4,))
        self.assertTrue(torch.equal(together[7:8], alone))

    def test_streams_seeds_and_pictures_differ(self):
        draw = lambda seed, name: dice.Dice(seed, torch.arange(64), name).uniform(shape=(8,))
        self.assertEqual(len(draw(1, 'x').unique()), 512)
        self.assertFalse(torch.equal(draw(1, 'x'), draw(2, 'x')))
        self.assertFalse(torch.equal(draw(1, 'x'), draw(1, 'y')))

    def test_uniform_is_uniform_and_choice_keeps_its_weights(self):
        d = dice.Dice(1, torch.arange(20000))
        u = d.uniform()
        self.assertAlmostEqual(float(u.mean()), 0.5, delta=0.01)
        self.assertAlmostEqual(float(u.std()), 12**-0.5, delta=0.01)
        shares = torch.bincount(d.choice((1, 2, 1)), minlength=3) / 20000
        self.assertTrue(torch.allclose(shares, torch.tensor([0.25, 0.5, 0.25]), atol=0.02))


class TextureTest(unittest.TestCase):
    def test_dashes_cover_their_share(self):
        x = torch.linspace(0, 1000, 20001)[None]
        for footprint in (0.01, 1.0, 30.0):
            cover = texture.dashes(x, torch.tensor(12.0), torch.tensor(0.25), torch.tensor(footprint))
            self.assertAlmostEqual(float(cover.mean()), 0.25, delta=0.01)

    def test_band_covers_its_width(self):
        x = torch.linspace(-5, 5, 100001)
        for footprint in (0.01, 0.2, 2.0):
            cover = texture.band(x, 0.0, torch.tensor(0.15), torch.tensor(footprint))
            self.assertAlmostEqual(float(cover.sum()) * 1e-4, 0.15, delta=0.002)

    def test_noise_repeats_without_a_seam(self):
        noise = texture.Noise('cpu')
        y = torch.full((1, 1, 1), 3.3)
        period = texture.SIZE / 4
        self.assertTrue(torch.allclose(noise.at(y * 0 + 1e-4, y), noise.at(y * 0 + period - 1e-4, y), atol=2e-3))


class SurfaceTest(unittest.TestCase):
    def test_no_strip_of_the_road_is_as_light_as_paint(self):
        g = renderer.sample(5, torch.arange(256))
        road = g['road_colour'].amax(1, keepdim=True)
        strips = g['seam_tone'] * road
        self.assertLess(float(strips.max()), 0.65)
        self.assertTrue(bool((strips < road + (0.7 - road) / 2).all()))
        self.assertGreater(float((g['seam_tone'] > 1.05).float().mean()), 0.15)


class MarkingsTest(unittest.TestCase):
    def test_two_lines_of_a_double_one_lie_as_close_as_painted(self):
        g = renderer.sample(5, torch.arange(512))
        both = (g['line_gap'] + g['line_width'])[g['line_double'] > 0]
        self.assertGreater(len(both), 100)
        self.assertGreater(float(both.min()), 0.12)
        self.assertLess(float(both.max()), 0.6)


class LayoutTest(unittest.TestCase):
    def ratios(self, uneven, side):
        """5, 50 and 95 % of the breadths of lanes beside the own one (side: -1 or 1), over its."""
        g = renderer.sample(5, torch.arange(2048), uneven=uneven)
        widths = g['line_d'].diff(dim=1)
        own = (g['line_d'] < g['camera_d'][:, None]).sum(1, keepdim=True) - 1
        there = ((own + side >= 0) & (own + side < g['line_count'][:, None] - 1))[:, 0]
        beside, own = ((torch.gather(widths, 1, (own + i).clamp(0, 6))[there, 0]) for i in (side, 0))
        return [float((beside / own).quantile(q)) for q in (0.05, 0.5, 0.95)]

    def test_lanes_are_as_uneven_as_asked(self):
        low, middle, high = self.ratios(0, 1)
        self.assertTrue(0.9 < low and high < 1.1, (low, high))
        low, middle, high = self.ratios(0.5, 1)
        self.assertTrue(0.7 < low < 0.85 and 0.98 < middle < 1.02 and 1.2 < high < 1.4, (low, middle, high))

    def test_of_uneven_lanes_the_left_is_narrower(self):
        low, middle, high = self.ratios(1, -1)
        self.assertTrue(0.5 < low < 0.6 and 0.78 < middle < 0.86 and 1.1 < high < 1.25, (low, middle, high))

    def test_lines_that_count_bound_the_own_lane_and_its_neighbours(self):
        g = {
            'camera_d': torch.tensor([5.0, 7.9, 5.0]),
            'line_d': torch.tensor([[0.0, 2, 4, 8, 11, 16, 1e4, 1e4]] * 3),
            'barrier_d': torch.tensor([-1e4, -1e4, 3.7]),
        }
        counted = layout.labelled(g, torch.tensor([[1.0, 1, 1, 1, 1, 1, 0, 0]] * 3))
        wanted = [[0, 1, 1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0, 0, 0]]
        self.assertEqual(counted.tolist(), wanted)


class FreewayTest(unittest.TestCase):
    def setUp(self):
        self.none, self.half = (renderer.sample(5, torch.arange(1024), freeways=share) for share in (0.0, 0.5))

    def test_as_common_as_asked_and_nothing_else_changes(self):
        changed = (self.none['horizon'] != self.half['horizon']).float()
        divided = self.none['divided']
        self.assertEqual(float((changed * (1 - divided)).sum()), 0)
        self.assertAlmostEqual(float(changed.sum() / divided.sum()), 0.5, delta=0.06)
        for name, was in self.none.items():
            self.assertTrue(torch.equal(was[changed == 0], self.half[name][changed == 0]), name)
            self.assertEqual(was.dtype, self.half[name].dtype, name)

    def test_joints_lie_beside_lines_and_lanes_are_dotted(self):
        here = self.none['horizon'] != self.half['horizon']
        g = {k: v[here] for k, v in self.half.items()}
        away = (g['seam_d'][..., None] - g['line_d'][:, None]).abs().amin(2)
        self.assertLess(float(away.max()), 0.65)
        self.assertGreater(float(g['line_dots'].amax(1).mean()), 0.8)
        self.assertGreater(float(g['car_here'].mean()), 0.6)

    def test_walls_stand_beyond_the_shoulders(self):
        broad = self.half['shoulder_left'] > self.none['shoulder_left'] + 0.1
        self.assertGreater(float(broad.float().mean()), 0.05)
        self.assertTrue((outside(self.half) > outside(self.none).clamp(max=0.29) - 1e-4).all())


def outside(g):
    """How far beyond the pavement's edge each wall stands, metres [B, WALLS]."""
    return (g['wall_d'] - roadside.edge(g)) * torch.sign(g['wall_d'])


class CityTest(unittest.TestCase):
    def setUp(self):
        self.none, self.half = (renderer.sample(5, torch.arange(1024), cities=share) for share in (0.0, 0.5))
        self.here = self.none['height'] != self.half['height']
        self.street = {k: v[self.here] for k, v in self.half.items()}

    def test_as_common_as_asked_and_nothing_else_changes(self):
        self.assertAlmostEqual(float(self.here.float().mean()), 0.5, delta=0.05)
        for name, was in self.none.items():
            self.assertTrue(torch.equal(was[~self.here], self.half[name][~self.here]), name)
            self.assertEqual(was.dtype, self.half[name].dtype, name)

    def test_vehicles_stand_in_lanes_one_behind_the_other(self):
        g = self.street
        self.assertGreater(float(g['car_here'].mean()), 0.4)
        for i, (lane, before) in enumerate(zip(city.LANES[1:], city.LANES)):
            if lane == before:
                self.assertTrue((g['car_z'][:, i + 1] > g['car_z'][:, i] + g['car_long'][:, i] + 1.4).all())
        own = (g['car_d'][:, :3] - g['camera_d'][:, None]).abs()
        self.assertLess(float(own.quantile(0.95)), 2)
        self.assertGreater(float(g['car_z'][:, :3].min()), 4.9)

    def test_fences_stand_left_of_the_own_lanes_and_lines_beyond_do_not_count(self):
        g = self.street
        fenced = g['barrier_d'] > -100
        self.assertAlmostEqual(float(fenced.float().mean()), 0.6, delta=0.06)
        g = {k: v[fenced] for k, v in g.items()}
        self.assertTrue(torch.equal(g['barrier_d'], g['wall_d'][:, 3]))
        self.assertTrue((g['barrier_d'] < g['camera_d']).all())
        counted = layout.labelled(g, g['line_painted'])
        self.assertEqual(float((counted * (g['line_d'] < g['barrier_d'][:, None])).sum()), 0)

    def test_streets_are_drawn_also_where_freeways_are_asked_for(self):
        scenes = renderer.sample(5, torch.arange(32), freeways=1.0, uneven=1.0, cities=1.0)
        pictures, lanes = renderer.Renderer(*SIZE).render(scenes, 5, 0)
        self.assertTrue(torch.isfinite(pictures).all() and torch.isfinite(lanes).all())


class LensTest(unittest.TestCase):
    def test_some_nights_and_no_days_are_sodium_yellow(self):
        g = renderer.sample(5, torch.arange(4096))
        yellow = (g['balance'][:, 2] < 0.3 * g['balance'][:, 0]).float()
        self.assertEqual(float((yellow * (1 - g['night'])).sum()), 0)
        self.assertTrue(0.08 < float(yellow.sum() / g['night'].sum()) < 0.25)


class GeometryTest(unittest.TestCase):
    def setUp(self):
        self.g = renderer.sample(11, torch.arange(64))

    def test_project_undoes_rays(self):
        u, v = geometry.rays(self.g, *SIZE)
        x, y = geometry.project(self.g, u, v)
        wanted = (torch.arange(SIZE[0]) + 0.5) / SIZE[0]
        self.assertLess(float((x - wanted).abs().max()), 1e-3)
        wanted = (torch.arange(SIZE[1]) + 0.5) / SIZE[1]
        self.assertLess(float((y - wanted[:, None]).abs().max()), 1e-3)

    def test_a_lane_line_is_drawn_where_it_is_labelled(self):
        """The road coordinate that a pixel of the label gets when drawn is the line's own."""
        width, height = 800, 320
        px, py, seen = geometry.lines(self.g, self.g['line_d'].clamp(max=1e3))
        ground = geometry.ground(self.g, width, height)
        errors = []
        for b in range(64):
            for line in range(int(self.g['line_count'][b])):
                for p in range(40, geometry.STEPS, 12):
                    x, y = float(px[b, line, p]) * width, float(py[b, line, p]) * height
                    if seen[b, line, p] and 2 < x < width - 2 and 2 < y < height - 2:
                        here = (b, int(y), int(x))
                        pixels = abs(float(ground.d[here] - self.g['line_d'][b, line])) / float(ground.across[here])
                        step_x, step_y = (float(t[b, line, p + 1] - t[b, line, p - 1]) for t in (px, py))
                        slope = abs(step_x / (step_y or 1e-9)) * width / height
                        errors.append(pixels / (1 + slope))
        errors = torch.tensor(errors)
        self.assertGreater(len(errors), 1000)
        # A pixel's middle is up to half a pixel off its label; at crests the ground runs away within one.
        self.assertLess(float(errors.median()), 0.5)
        self.assertGreater(float((errors < 1.0).float().mean()), 0.97)


class LabelTest(unittest.TestCase):
    def test_straight_line(self):
        rows = torch.linspace(1, 0, labels.ROWS)
        x = (0.2 + (1 - rows) * 0.5)[None, None]
        t = labels.targets(x, torch.ones(1, 1, dtype=torch.bool))[0, 0]
        self.assertEqual([float(t[0]), float(t[1])], [1, 0])
        self.assertAlmostEqual(float(t[2]), 0.2, places=5)
        self.assertAlmostEqual(
            float(t[3]) * 180, torch.rad2deg(torch.atan2(torch.tensor(320.0), torch.tensor(400.0))).item(), places=1
        )
        self.assertAlmostEqual(float(t[4]) * labels.STRIPS, labels.ROWS, places=4)

    def test_line_that_enters_from_the_side(self):
        rows = torch.linspace(1, 0, labels.ROWS)
        x = (-0.5 + (1 - rows) * 1.0)[None, None]
        t = labels.targets(x, torch.ones(1, 1, dtype=torch.bool))[0, 0]
        self.assertAlmostEqual(float(t[1]) * labels.STRIPS, 36, delta=0.51)
        self.assertTrue((t[5 : 5 + 35] == labels.NONE).all())
        self.assertGreaterEqual(float(t[2]), 0)

    def test_invalid_and_short_lanes_are_empty(self):
        x = torch.full((1, 2, labels.ROWS), labels.NONE)
        x[0, 1, 10:12] = 0.5
        self.assertEqual(float(labels.targets(x, torch.ones(1, 2, dtype=torch.bool))[..., 0].sum()), 0)

    def test_mirror_twice_is_nothing(self):
        lanes = labels.make(renderer.sample(2, torch.arange(32)))
        on = torch.ones(32)
        back = renderer.mirror(renderer.mirror(lanes, on), on)
        self.assertTrue(torch.allclose(lanes, back, atol=1e-5))
        once = renderer.mirror(lanes, on)
        self.assertTrue(torch.equal(once[..., 0].sum(1), lanes[..., 0].sum(1)))

    def test_sides_are_numbered_as_in_culane(self):
        rows = torch.linspace(1, 0, labels.ROWS)
        x = torch.stack([b + (0.5 - b) * (1 - rows) for b in (-0.2, 0.3, 0.7, 1.2)])[None]
        t = labels.targets(x, torch.ones(1, 4, dtype=torch.bool))
        self.assertEqual(labels.side(t)[0].tolist(), [1, 2, 3, 4])


class RendererTest(unittest.TestCase):
    def test_pictures_repeat_whatever_the_batch(self):
        drawer = renderer.Renderer(*SIZE)
        a, la = drawer.batch(5, torch.arange(8, 12))
        b, lb = drawer.batch(5, torch.arange(8, 12))
        self.assertTrue(torch.equal(a, b) and torch.equal(la, lb))
        _, lc = drawer.batch(5, torch.arange(10, 12))
        self.assertTrue(torch.equal(la[2:], lc))

    def test_pictures_are_pictures(self):
        pictures, lanes = renderer.Renderer(*SIZE).batch(1, torch.arange(48))
        self.assertTrue(torch.isfinite(pictures).all() and torch.isfinite(lanes).all())
        self.assertTrue(((pictures >= 0) & (pictures <= 1)).all())
        self.assertGreater(float((pictures.std((1, 2, 3)) > 0.02).float().mean()), 0.95)

    def test_drawing_all_at_once_equals_one_by_one(self):
        """What is left out because it is absent would have changed nothing."""
        scenes = renderer.sample(3, torch.arange(12))
        drawer = renderer.Renderer(*SIZE)
        one_by_one, _ = drawer.render(scenes, 3, 0)
        grain = torch.randn(12, 3, SIZE[1], SIZE[0], generator=torch.Generator().manual_seed(3 << 32))
        together = renderer.draw(scenes, *SIZE, drawer.noise, grain)
        self.assertLess(float((one_by_one - together).abs().mean()), 1e-3)

    def test_packed_scenes_are_the_same_scenes(self):
        scenes = renderer.sample(3, torch.arange(5))
        there = renderer.moved(scenes, torch.device('meta'))
        self.assertEqual({k: v.shape for k, v in scenes.items()}, {k: v.shape for k, v in there.items()})

    def test_nothing_is_made_on_another_device(self):
        """On the meta device, as on a GPU, a tensor of the CPU among the rest is an error."""
        scenes = renderer.moved(renderer.sample(3, torch.arange(2)), torch.device('meta'))
        try:
            torch.cummin(torch.ones(2, 3, device='meta'), 1), torch.searchsorted(*[torch.ones(2, 3, device='meta')] * 2)
        except NotImplementedError as e:
            self.skipTest(f'this PyTorch cannot: {e}')
        grain = torch.zeros(2, 3, SIZE[1], SIZE[0], device='meta')
        pictures = renderer.draw(scenes, *SIZE, texture.Noise('meta'), grain)
        self.assertEqual(pictures.shape, grain.shape)
        lanes = renderer.mirror(labels.make(scenes), scenes['mirrored'])
        self.assertEqual(labels.side(lanes).device.type, 'meta')

    def test_labels_follow_culane_and_tusimple(self):
        g = renderer.sample(4, torch.arange(2000))
        count = labels.make(g)[..., 0].sum(1)
        self.assertTrue(2.8 < float(count.mean()) < 3.8)
        self.assertLessEqual(int(count.max()), 5)


if __name__ == '__main__':
    unittest.main()
