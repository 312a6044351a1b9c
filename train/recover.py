#!/usr/bin/env python3
"""Makes a checkpoint of a float model that `lanert convert` wrote, to train on where the model alone was kept.

    recover.py MODEL.onnx OUT.pth

`convert` folds each BatchNorm into its convolution. Here each gets the statistics that drawn pictures have there, and
the scale and shift that undo them: the network computes what the model does, in training too. What training alone uses,
the decoder of the segmentation, begins anew. Needs the package onnx (Debian: python3-onnx).
"""

import argparse
import sys

import onnx
import torch
import torch.nn as nn
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from clrnet import backbone, model
from road.renderer import Renderer

SEED = 1_000_004  # of the pictures that statistics are taken of
BYTE = 255  # models take bytes, checkpoints shares of one
ANEW = ('heads.prior_embeddings.weight', 'heads.seg_decoder.conv.weight', 'heads.seg_decoder.conv.bias')  # no model has these
SCALE = 'picture/constant_0'  # what a model in float16 multiplies bytes by before its first convolution


def read(path):
    """A model's architecture, and its tensors by name in single precision."""
    try:
        stored = onnx.load(path)
    except DecodeError:
        raise ValueError(f'{path}: not an ONNX model') from None
    said = {entry.key: entry.value for entry in stored.metadata_props}
    arch, precision = said.get('lanert.arch'), said.get('lanert.precision')
    if arch not in backbone.DEPTHS or precision not in ('fp32', 'fp16'):
        raise ValueError(
            f"{path}: of architecture {arch} in {precision}; expected {' or '.join(backbone.DEPTHS)} in fp32 or fp16, "
            'as lanert convert writes it'
        )
    return arch, {t.name: torch.tensor(numpy_helper.to_array(t)).float() for t in stored.graph.initializer}


def normed(net):
    """Each BatchNorm of a network with the name of the convolution before it."""
    for name, module in net.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            above, own = name.rpartition('.')[::2]
            yield module, f'{above}.' + {'bn': 'conv', 'bn1': 'conv1', 'bn2': 'conv2', '1': '0'}[own]


def placed(name, stored):
    """A model's tensor as the checkpoint has it: convert transposes the head's small linear layers."""
    dense = name.startswith(('heads.cls_', 'heads.reg_')) and name.endswith('.weight')
    return stored.T if dense else stored


@torch.no_grad()
def unfolded(arch, weights):
    """The network of a model's weights, in eval mode, with BatchNorms that add the folded bias and do nothing else.

    KeyError where a tensor is missing, RuntimeError where one has another shape.
    """
    first = 'backbone.model.conv1.weight'
    net = model.CLRNet(arch, weights[first].shape[0] / 64, weights['heads.priors'].shape[1])
    folded = {id(value) for norm, _ in normed(net) for value in norm.parameters()}
    for name, value in net.named_parameters():
        if id(value) not in folded and name not in ANEW:
            value.copy_(placed(name, weights[name]).reshape(value.shape))
    for norm, convolution in normed(net):
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(weights[f'{convolution}.bias'])
    net.get_parameter(first).mul_(BYTE * weights.get(SCALE, 1))
    query = net.heads.roi_gather.f_query[0]
    for value in (query.weight, query.bias):
        value.mul_(net.heads.roi_gather.fc.out_features**0.5)  # the attention's factor, which convert keeps in the query
    net.heads.prior_embeddings.weight.copy_(weights['heads.priors'][0])
    net.heads.settle()
    return net.eval()


@torch.no_grad()
def measured(net, batches):
    """Mean and variance of each channel before each BatchNorm, over batches of pictures."""
    sums = {norm: [] for norm, _ in normed(net)}

    def note(norm, inputs):
        x = inputs[0].double()
        sums[norm].append(torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_pre_hook(note) for norm in sums]
    for pictures in batches:
        net(pictures)
    for hook in hooks:
        hook.remove()
    moments = {norm: torch.stack(parts).mean(0) for norm, parts in sums.items()}
    return {norm: (mean, square - mean.square()) for norm, (mean, square) in moments.items()}


@torch.no_grad()
def refit(net, statistics):
    """Gives BatchNorms their statistics, and convolutions the size of fresh ones; the network's results stay.

    What a BatchNorm follows may have any size. Training at a fresh network's rate wants a fresh network's.
    """
    for norm, convolution in normed(net):
        mean, variance = statistics[norm]
        filters = net.get_submodule(convolution).weight
        factor = (2 / filters[:, 0].numel()) ** 0.5 / float(filters.std())  # He's initialisation, by fan-out
        filters.mul_(factor)
        norm.running_mean.copy_(mean * factor)
        norm.running_var.copy_(variance * factor**2)
        norm.weight.copy_((variance * factor**2 + norm.eps).sqrt() / factor)
        norm.bias.add_(mean)


def recover(path, batches):
    """The network of the model at path, with statistics of batches of pictures."""
    arch, weights = read(path)
    try:
        net = unfolded(arch, weights)
    except (KeyError, RuntimeError, IndexError) as e:
        raise ValueError(f'{path}: not the weights of a CLRNet of {arch}: {e}') from None
    refit(net, measured(net, batches))
    return net


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('model')
    ap.add_argument('out')
    ap.add_argument('--pictures', type=positive, default=64, help='that statistics are taken of')
    a = ap.parse_args()
    drawer = Renderer(800, 320)
    batches = (drawer.batch(SEED, torch.arange(i, i + 8))[0] for i in range(0, a.pictures, 8))
    try:
        model.save(a.out, recover(a.model, batches).state_dict())
    except (OSError, ValueError) as e:
        sys.exit(f'recover.py: {e}')


if __name__ == '__main__':
    main()
