"""model.py - the whole network, and its checkpoint in the reference's form."""

import collections

import torch
import torch.nn as nn

from .backbone import Pyramid, ResNet, Wrapper
from .head import PRIORS, Head


class CLRNet(nn.Module):
    """Pictures [B, 3, H, W], BGR, 0..1, sides multiples of 32 (800 by 320 for use) to raw predictions."""

    def __init__(self, arch='resnet18', width=1.0, priors=PRIORS):
        super().__init__()
        net = ResNet(arch, width)
        self.backbone = Wrapper(net)
        self.neck = Pyramid(net.channels[1:])
        self.heads = Head(priors)

    def forward(self, pictures, chosen=None):
        return self.heads(self.neck(self.backbone(pictures)), chosen)


def save(path, state, epoch=0):
    """Writes a state_dict as the authors do: under 'net', each name with DataParallel's prefix."""
    net = collections.OrderedDict(('module.' + k, v.detach().cpu().contiguous()) for k, v in state.items())
    torch.save({'net': net, 'optim': {}, 'scheduler': {}, 'recorder': None, 'epoch': epoch}, path)


def load(path):
    """The network in a checkpoint of ours or of the reference's, its width and priors read from the tensors."""
    state = torch.load(path, map_location='cpu')
    state = state.get('net', state)
    state = {
        k[7:] if k.startswith('module.') else k: v.float() if v.is_floating_point() else v for k, v in state.items()
    }
    blocks = len({k.split('.')[3] for k in state if k.startswith('backbone.model.layer3.')})
    arch = {2: 'resnet18', 6: 'resnet34'}[blocks]
    model = CLRNet(arch, state['backbone.model.conv1.weight'].shape[0] / 64, state['heads.priors'].shape[0])
    model.load_state_dict(state)
    return model.eval()
