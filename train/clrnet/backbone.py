"""backbone.py - ResNet 18 and 34, and the feature pyramid above it."""

import torch.nn as nn
import torch.nn.functional as F

DEPTHS = {'resnet18': (2, 2, 2, 2), 'resnet34': (3, 4, 6, 3)}


class Block(nn.Module):
    """The basic residual block."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        else:
            self.downsample = None

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """[B, 3, H, W] to maps at strides 8, 16 and 32."""

    def __init__(self, arch='resnet18', width=1.0):
        super().__init__()
        self.channels = [int(c * width) for c in (64, 128, 256, 512)]
        self.conv1 = nn.Conv2d(3, self.channels[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(self.channels[0])
        inputs = self.channels[0]
        for i, (outputs, depth) in enumerate(zip(self.channels, DEPTHS[arch])):
            strides = [1 if i == 0 else 2] + [1] * (depth - 1)
            layer = nn.Sequential(*(Block(inputs if k == 0 else outputs, outputs, s) for k, s in enumerate(strides)))
            setattr(self, f'layer{i + 1}', layer)
            inputs = outputs
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer1(x)
        maps = []
        for layer in (self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps


class Wrapper(nn.Module):
    """Gives the backbone's tensors the reference's prefix."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)


class Conv(nn.Module):
    """Convolution, optional norm and ReLU, under mmcv's names."""

    def __init__(self, inputs, outputs, kernel, padding=0, norm=False):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=not norm)
        if norm:
            self.bn = nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.conv.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, x):
        return F.relu(self.bn(self.conv(x))) if hasattr(self, 'bn') else self.conv(x)


class Pyramid(nn.Module):
    """FPN: the three maps to 64 channels each, coarse added to fine by nearest up-sampling."""

    def __init__(self, inputs, outputs=64):
        super().__init__()
        self.lateral_convs = nn.ModuleList(Conv(c, outputs, 1) for c in inputs)
        self.fpn_convs = nn.ModuleList(Conv(outputs, outputs, 3, 1) for _ in inputs)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, maps):
        maps = [conv(m) for conv, m in zip(self.lateral_convs, maps)]
        for i in (1, 0):
            maps[i] = maps[i] + F.interpolate(maps[i + 1], size=maps[i].shape[2:], mode='nearest')
        return [conv(m) for conv, m in zip(self.fpn_convs, maps)]
