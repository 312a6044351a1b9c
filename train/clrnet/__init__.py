"""CLRNet (Zheng et al., CVPR 2022) for training: names and shapes of its tensors are the reference's."""
