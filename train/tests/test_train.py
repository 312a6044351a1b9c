"""Tests of the trainer: it learns, and a run that was stopped goes on as if it had not been."""
import json
import os
import tempfile
import unittest
from unittest import mock

import torch

import train


def run(folder, *arguments):
    """Trains a small network in the folder and returns its trainer."""
    line = ['train.py', folder, '--width', '0.125', '--size', '96x32', '--batch', '2', '--priors', '24', '--warm', '2',
            '--device', 'cpu', '--check-minutes', '0', '--log-steps', '2', *arguments]
    with mock.patch('sys.argv', line), mock.patch('sys.stderr'):
        trainer = train.Trainer(train.options())
        trainer.run()
    return trainer


class TrainerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_a_stopped_run_goes_on_exactly(self):
        whole = run(self.path('whole'), '--pictures', '12')
        step = train.Trainer.train_step

        def stopping(trainer, *batch):
            trainer.stop = trainer.step == 2
            return step(trainer, *batch)

        with mock.patch.object(train.Trainer, 'train_step', stopping):
            first = run(self.path('parted'), '--pictures', '12')
        self.assertEqual(first.step, 3)
        second = run(self.path('parted'), '--pictures', '12')
        self.assertEqual(second.step, whole.step)
        for k, v in whole.net.state_dict().items():
            self.assertTrue(torch.equal(v, second.net.state_dict()[k]), k)
        for k, v in whole.average.state.items():
            self.assertTrue(torch.equal(v, second.average.state[k]), k)
        with open(os.path.join(self.path('parted'), 'log.jsonl')) as f:
            kinds = [json.loads(line)['kind'] for line in f]
        self.assertIn('resume', kinds)

    def test_another_seed_is_refused(self):
        run(self.path('run'), '--pictures', '2')
        with self.assertRaises(SystemExit) as caught:
            run(self.path('run'), '--pictures', '4', '--seed', '2')
        self.assertIn('seed', str(caught.exception))

    def test_a_step_that_is_not_finite_changes_little(self):
        trainer = run(self.path('run'), '--pictures', '2')
        before = {k: v.clone() for k, v in trainer.net.state_dict().items() if v.is_floating_point() and 'running' not in k}
        number, scenes = 0, train.renderer.sample(1, torch.arange(2))
        pictures, lanes, classes = trainer.draw(number, scenes)
        with mock.patch.object(train.losses, 'loss', lambda stages, *_: (stages[-1].sum() * float('nan'), {})):
            trainer.train_step(pictures, lanes, classes)
        self.assertEqual(int(trainer.skipped), 1)
        for k, v in before.items():
            self.assertTrue(torch.isfinite(trainer.net.state_dict()[k]).all(), k)

    def test_parts_carry_a_run_to_another_folder(self):
        first = run(self.path('run'), '--pictures', '4', '--parts', self.path('parts'))
        second = run(self.path('elsewhere'), '--pictures', '4', '--from-parts', self.path('parts'))
        self.assertEqual(second.step, first.step)
        weight = 'backbone.model.conv1.weight'
        self.assertTrue(torch.allclose(first.average.state[weight], second.average.state[weight], atol=1e-3))


class ReservoirTest(unittest.TestCase):
    def test_batches_come_back_mirrored_or_not(self):
        torch.manual_seed(0)
        pictures, lanes = train.renderer.Renderer(96, 32).batch(1, torch.arange(3))
        reservoir = train.Reservoir()
        reservoir.put(pictures, lanes)
        same = mirrored = 0
        for _ in range(20):
            again, their, _ = reservoir.take()
            same += torch.equal(again, pictures) and torch.equal(their, lanes)
            mirrored += torch.equal(again, pictures.flip(3)) and torch.equal(their[..., 0].sum(1), lanes[..., 0].sum(1))
        self.assertEqual(same + mirrored, 20)
        self.assertTrue(same and mirrored)


if __name__ == '__main__':
    unittest.main()
