#!/usr/bin/env python3
"""Trains a CLRNet on roads drawn as it goes. Stops when told, goes on where it stopped."""

import argparse
import json
import math
import os
import queue
import signal
import sys
import threading
import time

import torch
from torch import distributed

import evaluate
import parts
from clrnet import decode, losses, model
from road import labels, renderer

CLIP = 10.0  # greatest norm of the gradient
EMA = 0.9995  # share of the old average kept each step, once warm
GROUP = 8  # batches whose scenes are sampled together


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    ap.add_argument('folder', help='where state, log and checkpoints go; a run found there is continued')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--arch', default='resnet18', help='resnet18 or resnet34')
    ap.add_argument('--width', type=float, default=1.0, help="share of the backbone's channels")
    ap.add_argument('--init', metavar='CHECKPOINT', help='begin with the weights of this one, of the same shape')
    ap.add_argument('--batch', type=int, default=32)
    ap.add_argument('--size', default='800x320', help='of the pictures')
    ap.add_argument('--first-size', help='of the pictures of the first part, smaller for speed')
    ap.add_argument('--first-share', type=float, default=0.5, help='how much of the training that part is')
    ap.add_argument('--pictures', type=int, default=1_500_000, help='length of the whole training')
    ap.add_argument('--total-minutes', type=float, help='length of the whole training by the clock instead')
    ap.add_argument('--minutes', type=float, help='stop this call after so long, ready to go on')
    ap.add_argument(
        '--rate', type=float, default=6e-4, help='learning rate at batch 24, scaled by the root of the batch'
    )
    ap.add_argument('--reuse', type=int, default=1, help='steps a drawn batch is good for, on a CPU 3 or 4')
    ap.add_argument('--cities', type=float, default=0.0, help='share of roads made streets with near queues of vehicles')
    ap.add_argument('--freeways', type=float, default=0.0, help='share of divided roads made freeways, which are hard')
    ap.add_argument('--uneven', type=float, default=0.0, help='share of roads whose lanes differ in breadth')
    ap.add_argument('--warm', type=int, default=300, help='steps in which the learning rate rises')
    ap.add_argument('--priors', type=int, default=0, help='train on so many random priors a step; 0: on all')
    ap.add_argument('--precision', default='bf16', choices=('bf16', 'fp32'))
    ap.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    ap.add_argument(
        '--compile',
        action='store_true',
        help='compile the renderer (PyTorch 2.3; minutes at first, then three times as fast, on a GPU more)',
    )
    ap.add_argument('--compile-net', action='store_true', help='compile the network and its losses')
    ap.add_argument('--save-minutes', type=float, default=5)
    ap.add_argument(
        '--check-minutes', type=float, default=20, help='time between measurements on drawn pictures; 0: none'
    )
    ap.add_argument('--check-pictures', type=int, default=192)
    ap.add_argument('--parts', help='also leave the state there in parts of 15 MiB, in half precision')
    ap.add_argument('--from-parts', help='go on from such parts when the folder holds no state')
    ap.add_argument('--log-steps', type=int, default=20)
    return ap.parse_args()


class Log:
    """JSON lines in a file, a readable line on stderr."""

    def __init__(self, path):
        self.file = open(path, 'a', buffering=1)

    def __call__(self, kind, **values):
        self.file.write(json.dumps({'kind': kind, 'time': round(time.time(), 1)} | values) + '\n')
        words = ' '.join(f'{k} {v:.4g}' if isinstance(v, float) else f'{k} {v}' for k, v in values.items())
        print(f'{time.strftime("%H:%M:%S")} {kind}: {words}', file=sys.stderr, flush=True)


class Team:
    """The processes that share each batch, as torchrun starts them; by itself, one."""

    def __init__(self):
        self.rank, self.size = (int(os.environ.get(k, d)) for k, d in (('RANK', 0), ('WORLD_SIZE', 1)))
        if self.size > 1:
            distributed.init_process_group('gloo')

    def mean(self, tensors):
        """Replaces each tensor by its mean over the team: one exchange for all of them."""
        if self.size == 1:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        distributed.all_reduce(flat)
        for t, mean in zip(tensors, (flat / self.size).split([t.numel() for t in tensors])):
            t.copy_(mean.view_as(t))

    def follow(self, *numbers):
        """The first process's numbers, in all of them."""
        if self.size == 1:
            return numbers
        told = torch.tensor(numbers, dtype=torch.float64)
        distributed.broadcast(told, 0)
        return told.tolist()


class Scenes:
    """This process's part of batch after batch from a picture number on, sampled ahead by a thread of their own."""

    def __init__(self, seed, first, batch, team, **harder):
        self.queue, self.stopped = queue.Queue(maxsize=3 * GROUP), False
        self.thread = threading.Thread(target=self.work, args=(seed, first, batch, team, harder), daemon=True)
        self.thread.start()

    def work(self, seed, first, batch, team, harder):
        mine = batch // team.size
        while not self.stopped:
            starts = first + team.rank * mine + torch.arange(GROUP) * batch
            group = renderer.sample(seed, (starts[:, None] + torch.arange(mine)).flatten(), **harder)
            for i in range(GROUP):
                piece = {k: v[i * mine : (i + 1) * mine] for k, v in group.items()}
                while not self.stopped:
                    try:
                        self.queue.put((int(starts[i]), piece), timeout=0.1)
                        break
                    except queue.Full:
                        pass
            first += batch * GROUP

    def next(self):
        return self.queue.get()

    def stop(self):
        """PyTorch must not be at work in the thread when the interpreter ends."""
        self.stopped = True
        self.thread.join()


class Reservoir:
    """Batches drawn before, to be trained on again where drawing costs more than training, as on a CPU."""

    def __init__(self, room=96):
        self.kept, self.room = [], room

    def put(self, pictures, lanes):
        item = ((pictures * 255).round().to(torch.uint8), lanes)
        if len(self.kept) < self.room:
            self.kept.append(item)
        else:
            self.kept[int(torch.randint(self.room, ()))] = item

    def take(self):
        """One of the batches, seen in a mirror every other time."""
        pictures, lanes = self.kept[int(torch.randint(len(self.kept), ()))]
        pictures = pictures.float() / 255
        if torch.rand(()) < 0.5:
            pictures, lanes = pictures.flip(3), renderer.mirror(lanes, torch.ones(len(lanes), device=lanes.device))
        return pictures.contiguous(memory_format=torch.channels_last), lanes, labels.side(lanes)


class Average:
    """Exponential moving average of a network's tensors: what is measured and shipped."""

    def __init__(self, net):
        self.state = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net, step):
        keep = min(EMA, (1 + step) / (10 + step))
        mine, theirs = [], []
        for k, v in net.state_dict().items():
            if v.is_floating_point():
                mine.append(self.state[k])
                theirs.append(v.detach())
            else:
                self.state[k].copy_(v)
        torch._foreach_mul_(mine, keep)
        torch._foreach_add_(mine, theirs, alpha=1 - keep)

    def network(self, like):
        """A network with these weights, its stored priors those of its embeddings."""
        net = model.CLRNet(like.arch, like.width, self.state['heads.priors'].shape[0])
        net.load_state_dict(self.state)
        net.heads.settle()
        return net.eval()


class Trainer:
    def __init__(self, a):
        self.a, self.device, self.stop, self.team = a, torch.device(a.device), False, Team()
        if a.batch % self.team.size or (self.team.size > 1 and self.device.type != 'cpu'):
            sys.exit(f'{self.team.size} processes cannot share a batch of {a.batch} on {a.device}: CPUs and even parts only')
        self.step, self.drawn, self.spent, self.skipped = 0, 0, 0.0, 0
        torch.manual_seed(a.seed)
        self.net = model.CLRNet(a.arch, a.width)
        if a.init:
            self.net.load_state_dict(model.load(a.init).state_dict())
        self.net.to(self.device, memory_format=torch.channels_last)
        self.average = Average(self.net)
        decayed = [p for p in self.net.parameters() if p.dim() > 1]
        others = [p for p in self.net.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [{'params': decayed, 'weight_decay': 0.01}, {'params': others, 'weight_decay': 0.0}],
            **({'fused': True} if torch.__version__ >= '2.4' else {}),  # older ones have it for GPUs alone
        )
        self.rate = a.rate * math.sqrt(a.batch / 24)
        self.warm_from, self.warm_steps = 0, a.warm
        os.makedirs(a.folder, exist_ok=True)
        self.log = (lambda *_, **__: None) if self.team.rank else Log(os.path.join(a.folder, 'log.jsonl'))
        self.restore()
        if self.team.rank:
            torch.manual_seed((a.seed << 20) + (self.step << 8) + self.team.rank)
        self.drawers, self.reservoir = {}, Reservoir()
        quick = (lambda f: torch.compile(f, dynamic=False)) if a.compile_net else (lambda f: f)
        self.forward, self.loss = quick(self.net), quick(losses.loss)
        if self.device.type == 'cuda':
            torch.backends.cudnn.benchmark = True
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True

    # ---- state

    @property
    def state_path(self):
        return os.path.join(self.a.folder, 'state.pt')

    def save(self):
        """Everything to go on exactly, the average as a checkpoint and, where asked for, the parts."""
        if self.team.rank:
            return
        state = {
            'net': self.net.state_dict(),
            'average': self.average.state,
            'optimizer': self.optimizer.state_dict(),
            'step': self.step,
            'drawn': self.drawn,
            'spent': self.spent,
            'warm_from': self.warm_from,
            'random': torch.get_rng_state(),
            'seed': self.a.seed,
            'random_cuda': torch.cuda.get_rng_state() if self.device.type == 'cuda' else None,
        }
        write_whole(self.state_path, lambda path: torch.save(state, path))
        net = self.average.network(self.a)
        write_whole(os.path.join(self.a.folder, 'road.pth'), lambda path: model.save(path, net.state_dict(), self.step))
        if self.a.parts:
            parts.split(self.a.parts, {k: state[k] for k in ('net', 'average', 'step', 'drawn', 'spent', 'seed')})

    def restore(self):
        whole = os.path.exists(self.state_path)
        if not whole and not (self.a.from_parts and os.path.isdir(self.a.from_parts)):
            return
        state = torch.load(self.state_path, map_location='cpu') if whole else parts.join(self.a.from_parts)
        if state['seed'] != self.a.seed:
            sys.exit(
                f"{self.a.folder}: a run with seed {state['seed']} is there, not {self.a.seed}; name another folder"
            )
        self.net.load_state_dict(state['net'])
        for k, v in state['average'].items():
            self.average.state[k].copy_(v)
        self.step, self.drawn, self.spent = state['step'], state['drawn'], state['spent']
        if whole:
            self.optimizer.load_state_dict(state['optimizer'])
            self.warm_from = state['warm_from']
            torch.set_rng_state(state['random'])
            if state['random_cuda'] is not None and self.device.type == 'cuda':
                torch.cuda.set_rng_state(state['random_cuda'])
        else:
            self.warm_from = self.step  # the optimiser starts afresh: warm up again
        self.log('resume', step=self.step, drawn=self.drawn, exact=whole)

    # ---- one step

    def progress(self):
        if self.a.total_minutes:
            return min(self.spent / (60 * self.a.total_minutes), 1)
        return min(self.step * self.a.batch / self.a.pictures, 1)

    def size(self):
        early = self.a.first_size and self.progress() < self.a.first_share
        return tuple(map(int, (self.a.first_size if early else self.a.size).split('x')))

    def set_rate(self):
        warm = min((self.step - self.warm_from + 1) / self.warm_steps, 1)
        rate = self.rate * warm * (0.5 + 0.5 * math.cos(math.pi * self.progress())) + 1e-7
        for group in self.optimizer.param_groups:
            group['lr'] = rate
        return rate

    def draw(self, number, scenes):
        size = self.size()
        if size not in self.drawers:
            self.drawers[size] = renderer.Renderer(*size, self.device, self.a.compile)
        pictures, lanes = self.drawers[size].render(scenes, self.a.seed, number)
        if self.a.reuse > 1:
            self.reservoir.put(pictures, lanes)
        return pictures.contiguous(memory_format=torch.channels_last), lanes, labels.side(lanes)

    def train_step(self, pictures, lanes, classes):
        """One step; returns the losses by name."""
        total_priors = self.net.heads.priors.shape[0]
        chosen = None
        if 0 < self.a.priors < total_priors:
            chosen = torch.randperm(total_priors)[: self.a.priors].sort().values.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.a.precision == 'bf16'):
            stages, seg = self.forward(pictures, chosen)
        total, figures = self.loss(stages, seg, lanes, classes, self.net.heads.criterion.weight)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.team.mean([p.grad for p in self.net.parameters() if p.grad is not None])
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        # A gradient that is not finite makes the whole clipped gradient NaN: such a step becomes one of zeros. Asking
        # whether it was would make the CPU wait for the GPU at every step.
        for p in self.net.parameters():
            if p.grad is not None:
                p.grad.nan_to_num_(0.0, 0.0, 0.0)
        self.skipped = self.skipped + (~torch.isfinite(norm)).to(torch.int64)
        self.optimizer.step()
        if not self.team.rank:
            self.average.update(self.net, self.step)
        return figures | {'loss': total.detach(), 'norm': norm.nan_to_num(0.0, 0.0)}

    # ---- the run

    def check(self):
        """Measures the average on drawn pictures of the validation seed."""
        if self.a.check_minutes and not self.team.rank:
            net = self.average.network(self.a).to(self.device)
            size = tuple(map(int, self.a.size.split('x')))
            cases = evaluate.drawn(net, size, self.a.check_pictures, self.device)
            tally = evaluate.count(cases, [decode.CONFIDENCE])[decode.CONFIDENCE]
            self.log('check', step=self.step, **tally.figures())

    def run(self):
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: setattr(self, 'stop', True))
        self.net.train()
        harder = {name: getattr(self.a, name) for name in ('cities', 'freeways', 'uneven')}
        scenes = Scenes(self.a.seed, self.drawn, self.a.batch, self.team, **harder)
        started = saved = checked = last = tick = time.time()
        sums, counted = {}, 0
        while True:
            late = self.a.minutes and time.time() - started > 60 * self.a.minutes
            self.spent, over = self.team.follow(self.spent, self.stop or late or self.progress() >= 1)
            if over:
                break
            rate = self.set_rate()
            if self.step % self.a.reuse and self.reservoir.kept:
                batch = self.reservoir.take()
            else:
                batch = self.draw(*scenes.next())
                self.drawn += self.a.batch
            for k, v in self.train_step(*batch).items():
                sums[k] = sums.get(k, 0) + v
            self.step, counted = self.step + 1, counted + 1
            now = time.time()
            if self.step % self.a.log_steps == 0:
                figures = {k: float(v) / counted for k, v in sums.items()}
                per_second = counted * self.a.batch / (now - last)
                self.log(
                    'step',
                    step=self.step,
                    drawn=self.drawn,
                    done=self.progress(),
                    rate=rate,
                    per_second=per_second,
                    skipped=int(self.skipped),
                    **figures,
                )
                sums, counted, last = {}, 0, now
            self.spent += now - tick
            tick = now
            if now - saved > 60 * self.a.save_minutes:
                self.save()
                saved = tick = time.time()
            if self.a.check_minutes and now - checked > 60 * self.a.check_minutes:
                self.check()
                checked = last = tick = time.time()
        scenes.stop()
        self.save()
        self.log('stop', step=self.step, drawn=self.drawn, done=self.progress())
        if not self.stop:
            self.check()


def write_whole(path, write):
    """Files appear whole or not at all."""
    write(path + '.part')
    os.replace(path + '.part', path)


def main():
    a = options()
    if a.seed == evaluate.VALIDATION_SEED:
        sys.exit(f'seed {a.seed} is kept for validation; take another')
    Trainer(a).run()


if __name__ == '__main__':
    main()
