#!/usr/bin/env python3
"""Measures CLRNet as it is usually run in Python, and prints the report that `lanert bench --json` prints.

ONNX Runtime in float32 on a plain export of CLRNet (float NCHW in, [N,192,78] out), pictures read and resized by
OpenCV, NMS and lanes in PyTorch and NumPy, one stage after the other. A model of `lanert convert --outputs raw` (uint8
NHWC in) is taken too; the report's "input" says which it was.

    baseline.py MODEL.onnx SOURCE [--preset culane] [--threads N] [--frames N | --duration S] [--rounds N] [--warmup N]

SOURCE is a video, or a folder of pictures. Needs numpy, opencv-python-headless, onnxruntime and torch.
"""
import argparse
import datetime
import hashlib
import json
import math
import os
import pathlib
import platform
import time

import cv2
import numpy as np
import onnxruntime
import torch

WIDTH, HEIGHT, STRIPS = 800, 320, 71
# Name: the data set's own height, rows cut at that height, score, most lanes; as in the reference's configurations.
PRESETS = {'culane': (590, 270, 0.4, 4), 'tusimple': (720, 160, 0.4, 5), 'llamas': (717, 300, 0.45, 4)}
NMS_PIXELS = 50
HELD_FRAMES, HELD_BYTES = 64, 64 << 20  # as in lanert bench
STAGES = ('read_ms', 'preprocess_ms', 'inference_ms', 'decode_ms', 'latency_ms')
PERCENTS = {'min': 0, 'p50': 50, 'p90': 90, 'p99': 99, 'p99_9': 99.9, 'max': 100}


def frames_of(source):
    """The source's pictures, BGR, from the start."""
    path = pathlib.Path(source)
    if path.is_dir():
        for name in sorted(p for p in path.iterdir() if p.suffix.lower() in ('.jpg', '.jpeg', '.png')):
            picture = cv2.imread(str(name))
            if picture is None:
                raise SystemExit(f'{name}: cannot be read')
            yield picture
        return
    video = cv2.VideoCapture(source)
    if not video.isOpened():
        raise SystemExit(f'{source}: is no video that OpenCV reads, and no folder')
    while True:
        there, picture = video.read()
        if not there:
            return
        yield picture


class Detector:
    def __init__(self, model, preset, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
        self.input = self.session.get_inputs()[0]
        self.floats = self.input.type == 'tensor(float)'
        raw = [o.name for o in self.session.get_outputs() if len(o.shape) == 3 and o.shape[-1] == 78]
        if not raw:
            raise SystemExit(f'{model}: has no output [N,192,78]')
        self.output = raw[:1]
        self.own_height, self.cut, self.conf, self.max_lanes = PRESETS[preset]
        self.ys = np.linspace(1, 0, STRIPS + 1)

    def preprocess(self, picture):
        rows = self.cut * picture.shape[0] // self.own_height
        small = cv2.resize(picture[rows:], (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        if not self.floats:
            return small[None]
        return np.ascontiguousarray((small.astype(np.float32) / 255).transpose(2, 0, 1)[None])

    def infer(self, tensor):
        return self.session.run(self.output, {self.input.name: tensor})[0]

    def decode(self, raw, picture):
        rows = torch.from_numpy(raw[0])
        scores = torch.softmax(rows[:, :2], dim=1)[:, 1]
        kept = scores >= self.conf
        rows, scores = rows[kept], scores[kept]
        rows = rows[torch.argsort(scores, descending=True, stable=True)].numpy()
        lanes = (self.lane(row, picture) for row in self.suppress(rows))
        return [lane for lane in lanes if lane is not None]

    def suppress(self, rows):
        starts = np.clip((rows[:, 2] * STRIPS + 0.5).astype(int), 0, STRIPS)
        ends = np.minimum(starts + np.maximum(rows[:, 5] * STRIPS - 0.5, 0).astype(int), STRIPS)
        kept = []
        for i, row in enumerate(rows):
            for k in kept:
                first, last = max(starts[i], starts[k]), min(ends[i], ends[k])
                if last >= first and np.abs(row[6:] - rows[k][6:])[first:last + 1].mean() * (WIDTH - 1) < NMS_PIXELS:
                    break
            else:
                kept.append(i)
                if len(kept) == self.max_lanes:
                    break
        return rows[kept]

    def lane(self, row, picture):
        xs = row[6:].copy()
        start = min(max(0, round(float(row[2]) * STRIPS)), STRIPS)
        end = min(start + round(float(row[5]) * STRIPS) - 1, STRIPS)
        outside = np.flatnonzero((xs[:start] < 0) | (xs[:start] > 1))
        if outside.size:
            xs[:outside[-1] + 1] = -1
        xs[end + 1:] = -1
        valid = xs >= 0
        if valid.sum() < 2:
            return None
        height, width = picture.shape[:2]
        cut = self.cut / self.own_height
        return np.stack([xs[valid] * width, (self.ys[valid] * (1 - cut) + cut) * height], axis=1)[::-1]

    def detect(self, picture):
        """Milliseconds of the three stages."""
        times = [time.perf_counter()]
        tensor = self.preprocess(picture)
        times.append(time.perf_counter())
        raw = self.infer(tensor)
        times.append(time.perf_counter())
        self.decode(raw, picture)
        times.append(time.perf_counter())
        return [(b - a) * 1e3 for a, b in zip(times, times[1:])]


class Phase:
    def __init__(self):
        self.samples, self.rounds_fps, self.rounds_latency, self.elapsed = [], [], [], 0.0

    def add_round(self, samples, elapsed):
        self.samples += samples
        self.elapsed += elapsed
        self.rounds_fps.append(len(samples) / elapsed)
        self.rounds_latency.append(percentile(sorted(s[-1] for s in samples), 50))

    def report(self):
        columns = dict(zip(STAGES, map(sorted, zip(*self.samples))))
        return {'frames': len(self.samples), 'elapsed_s': self.elapsed, 'fps': len(self.samples) / self.elapsed,
                'rounds_fps': self.rounds_fps, 'rounds_latency_ms': self.rounds_latency,
                **{stage: {name: percentile(values, p) for name, p in PERCENTS.items()}
                   for stage, values in columns.items()}}


def percentile(values, percent):
    """The nearest rank of sorted values."""
    return values[max(math.ceil(percent / 100 * len(values)), 1) - 1]


def run_steady(detector, held, over):
    samples, start = [], time.perf_counter()
    while not over(len(samples), start):
        stages = detector.detect(held[len(samples) % len(held)])
        samples.append([0, *stages, sum(stages)])
    return samples, time.perf_counter() - start


def run_pipeline(detector, source, over):
    """Reading, too. The study's loop: one stage after the other."""
    samples, start = [], time.perf_counter()
    while not over(len(samples), start):
        frames = frames_of(source)
        while not over(len(samples), start):
            before = time.perf_counter()
            picture = next(frames, None)
            if picture is None:
                break
            read = (time.perf_counter() - before) * 1e3
            stages = detector.detect(picture)
            samples.append([read, *stages, sum(stages)])
    return samples, time.perf_counter() - start


def hold_frames(source):
    held = []
    for picture in frames_of(source):
        if held and (len(held) == HELD_FRAMES or (len(held) + 1) * picture.nbytes > HELD_BYTES):
            break
        held.append(picture.copy())
    if not held:
        raise SystemExit(f'{source}: holds no picture')
    return held


def proc_value(path, name):
    with open(path, encoding='utf-8') as lines:
        return next((line.split(':', 1)[1].strip() for line in lines if line.startswith(name)), '')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model')
    parser.add_argument('source')
    parser.add_argument('--preset', choices=PRESETS, default='culane')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--frames', type=int, default=0)
    parser.add_argument('--duration', type=float, default=0)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--warmup', type=int, default=10)
    a = parser.parse_args()
    if min(a.threads, a.rounds) < 1 or min(a.frames, a.duration, a.warmup) < 0:
        parser.error('threads and rounds are at least 1, frames, duration and warmup at least 0')
    if not a.frames and not a.duration:
        a.duration = 10.0
    return a


def main():
    a = parse_arguments()
    cv2.setNumThreads(a.threads)
    torch.set_num_threads(a.threads)
    content = pathlib.Path(a.model).read_bytes()
    model_mb, digest = len(content) / 1e6, hashlib.sha256(content).hexdigest()
    del content

    def over(done, start):
        return (a.frames and done >= math.ceil(a.frames / a.rounds)) or \
               (a.duration and time.perf_counter() - start >= a.duration / a.rounds)

    start = time.perf_counter()
    detector = Detector(a.model, a.preset, a.threads)
    open_s = time.perf_counter() - start
    for i, picture in enumerate(frames_of(a.source)):
        if i and i >= a.warmup:
            break
        detector.detect(picture)
    memory_mb = int(proc_value('/proc/self/status', 'VmHWM').split()[0]) * 1024 / 1e6
    held = hold_frames(a.source)
    pipeline, steady = Phase(), Phase()
    for _ in range(a.rounds):
        pipeline.add_round(*run_pipeline(detector, a.source, over))
        detector.detect(held[0])
        steady.add_round(*run_steady(detector, held, over))

    row = {
        'model': os.path.basename(a.model), 'engine': 'python-onnxruntime', 'precision': 'fp32', 'threads': a.threads,
        'batch': 1, 'date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
        'machine': {'cpu': proc_value('/proc/cpuinfo', 'model name'), 'processors': len(os.sched_getaffinity(0)),
                    'system': f'{platform.system()} {platform.release()}'},
        'engine_version': onnxruntime.__version__,
        'versions': {'python': platform.python_version(), 'numpy': np.__version__, 'opencv': cv2.__version__,
                     'torch': torch.__version__},
        'input': 'float NCHW' if detector.floats else 'uint8 NHWC',
        'model_sha256': digest, 'model_mb': model_mb, 'open_s': open_s, 'memory_mb': memory_mb,
        'frame_width': held[0].shape[1], 'frame_height': held[0].shape[0], 'frames_held': len(held),
        'pipeline': pipeline.report(), 'steady': steady.report(),
    }
    settings = {'source': a.source, 'rounds': a.rounds, 'warmup': a.warmup, 'frames': a.frames,
                'duration_s': a.duration}
    print(json.dumps({'schema': 'lanert-bench-1', 'settings': settings, 'interrupted': False, 'rows': [row]}, indent=2))


if __name__ == '__main__':
    main()
