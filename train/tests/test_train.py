"""Tests of the trainer: it learns, and a run that was stopped goes on as if it had not been."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

import numpy as np
import torch

import train


SMALL = (
    '--width 0.125 --size 96x32 --batch 2 --priors 24 --warm 2 --device cpu --check-minutes 0 --log-steps 2'.split()
)


def run(folder, *arguments):
    """Trains a small network in the folder and returns its trainer."""
    line = ['train.py', folder, *SMALL, *arguments]
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

    def test_a_run_begins_with_the_weights_of_a_checkpoint(self):
        run(self.path('first'), '--pictures', '2')
        checkpoint = os.path.join(self.path('first'), 'road.pth')
        with mock.patch('sys.argv', ['train.py', self.path('second'), *SMALL, '--init', checkpoint]):
            second = train.Trainer(train.options())
        self.assertEqual(second.step, 0)
        for k, v in train.model.load(checkpoint).state_dict().items():
            self.assertTrue(torch.equal(v, second.net.state_dict()[k]), k)
            self.assertTrue(torch.equal(v, second.average.state[k]), k)

    @unittest.skipUnless(train.distributed.is_available(), 'this PyTorch has no torch.distributed')
    def test_two_processes_share_the_batches(self):
        with socket.create_server(('localhost', 0)) as free:
            port = free.getsockname()[1]
        team = {'OMP_NUM_THREADS': '1', 'WORLD_SIZE': '2', 'MASTER_ADDR': 'localhost', 'MASTER_PORT': str(port)}
        line = [sys.executable, train.__file__, self.path('run'), *SMALL, '--pictures', '6', '--log-steps', '1']
        processes = [
            subprocess.Popen(line, env={**os.environ, **team, 'RANK': str(rank)}, stderr=subprocess.DEVNULL)
            for rank in range(2)
        ]
        self.assertEqual([p.wait(300) for p in processes], [0, 0])
        with open(os.path.join(self.path('run'), 'log.jsonl')) as f:
            log = [json.loads(line) for line in f]
        self.assertEqual([(e['kind'], e['step'], e['drawn']) for e in log][2:], [('step', 3, 6), ('stop', 3, 6)])
        self.assertEqual(run(self.path('run'), '--pictures', '8').step, 4)

    def test_another_seed_is_refused(self):
        run(self.path('run'), '--pictures', '2')
        with self.assertRaises(SystemExit) as caught:
            run(self.path('run'), '--pictures', '4', '--seed', '2')
        self.assertIn('seed', str(caught.exception))

    def test_a_step_that_is_not_finite_changes_little(self):
        trainer = run(self.path('run'), '--pictures', '2')
        before = {
            k: v.clone() for k, v in trainer.net.state_dict().items() if v.is_floating_point() and 'running' not in k
        }
        number, scenes = 0, train.renderer.sample(1, torch.arange(2))
        pictures, lanes, classes = trainer.draw(number, scenes)
        trainer.loss = lambda stages, *_: (stages[-1].sum() * float('nan'), {})
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


class EvaluateTest(unittest.TestCase):
    def test_truth_scores_fully_and_files_are_read(self):
        truth = [np.stack([np.linspace(0.3, 0.5, 40), np.linspace(1, 0.4, 40)], 1)]
        raw = np.zeros((1, 78), np.float32)
        rows = (np.linspace(1, 0, 72) * (1 - train.evaluate.CUT)) + train.evaluate.CUT
        raw[0, 1], raw[0, 5] = 5, 64 / 71
        raw[0, 6:] = 0.3 + (1 - rows) / 0.6 * 0.2
        tally = train.evaluate.count([(raw, truth, 0.5625)], [0.4, 0.999])
        self.assertEqual(tally[0.4].figures()['f1@0.5'], 1)
        self.assertEqual(tally[0.999].figures()['found'], 0)
        with tempfile.TemporaryDirectory() as folder:
            train.evaluate.pictures_.write_png(os.path.join(folder, 'a.png'), torch.zeros(3, 90, 160))
            with open(os.path.join(folder, 'a.lines.txt'), 'w') as f:
                f.write('80.0 90.0 81.0 60.0 82.0 40.0\n5 5\n')
            net = train.model.CLRNet(width=0.125).eval()
            cases = list(train.evaluate.folder(net, folder, (96, 32), 'cpu', os.path.join(folder, 'shown')))
            self.assertTrue(os.path.exists(os.path.join(folder, 'shown', 'a.png')))
        self.assertEqual(len(cases), 1)
        self.assertEqual(len(cases[0][1]), 1)
        self.assertEqual(cases[0][2], 90 / 160)


    def test_lanes_that_lanert_found_are_measured(self):
        line = [[80.0, 89.0], [81.0, 60.0], [82.0, 40.0]]
        frame = {'file': 'a.jpg', 'width': 160, 'height': 90}
        with tempfile.TemporaryDirectory() as folder:
            lanes = os.path.join(folder, 'lanes.jsonl')
            with open(os.path.join(folder, 'a.lines.txt'), 'w') as f:
                f.write(' '.join(f'{x} {y}' for x, y in line) + '\n10 80 20 60\n')
            with open(lanes, 'w') as f:
                f.write(json.dumps(frame | {'lanes': [{'score': 0.9, 'points': line}]}) + '\n')
                f.write(json.dumps(frame | {'file': 'unlabelled.jpg', 'lanes': []}) + '\n')
            figures = train.evaluate.detected(lanes, folder).figures()
        self.assertEqual((figures['pictures'], figures['precision'], figures['recall']), (1, 1, 0.5))


class ScenesTest(unittest.TestCase):
    def test_processes_draw_the_parts_of_one_batch(self):
        team = lambda rank, size: types.SimpleNamespace(rank=rank, size=size)
        parts = [train.Scenes(1, 6, 4, team(*t)) for t in ((0, 1), (0, 2), (1, 2))]
        for number in range(6, 6 + 4 * (train.GROUP + 2), 4):
            whole, first, second = (p.next() for p in parts)
            self.assertEqual([whole[0], first[0], second[0]], [number, number, number + 2])
            for k, v in whole[1].items():
                self.assertTrue(torch.equal(v, torch.cat([first[1][k], second[1][k]])), k)
        for p in parts:
            p.stop()


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
