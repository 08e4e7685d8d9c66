"""The classifier: a small residual network over one grey crop."""

import itertools

import torch
from torch import nn
from torch.nn import functional

# A crop darker than this is mostly noise; dividing by less would blow the noise up.
DARK = 12.0
# Channels of the stem and of each block.
WIDTHS = (16, 32, 64, 128)
# Numbers that say what a crop looks like: its features.
FEATURES = 128
# How many of the nearest known crops tell whether a crop is familiar.
NEIGHBOURS = 5
# What the evidence for any class at all, the logarithm of the summed exponentials of the logits, adds to it.
# Chosen on classes left out of training one by one.
EVIDENCE = 0.04


def contrast(pixels: torch.Tensor) -> torch.Tensor:
    """Contrast relative to the crop's own brightness: lamps and exposure do not move the verdict."""
    x = pixels.to(torch.float32)
    mean = x.mean(dim=(2, 3), keepdim=True)
    return 4 * (x - mean) / torch.clamp(mean, min=DARK)


class Block(nn.Module):
    """A basic residual block that halves the picture."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.a = nn.Conv2d(inside, outside, 3, stride=2, padding=1, bias=False)
        self.na = nn.BatchNorm2d(outside)
        self.b = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.nb = nn.BatchNorm2d(outside)
        self.skip = nn.Conv2d(inside, outside, 1, bias=False)
        self.ns = nn.BatchNorm2d(outside)

    def forward(self, x):
        y = functional.relu(self.na(self.a(x)))
        y = self.nb(self.b(y))
        return functional.relu(y + self.ns(self.skip(functional.avg_pool2d(x, 2))))


class Net(nn.Module):
    """Maps grey crops [n, 1, h, w] (0 to 255, any number type) to logits [n, classes] and to features
    [n, FEATURES] of length 1, which say what a crop looks like whether or not it is of any class."""

    def __init__(self, classes: int, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        # A stride of 4 in the stem loses thin lines.
        self.stem = nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in itertools.pairwise(widths)))
        self.head = nn.Linear(2 * widths[-1], classes)
        self.look = nn.Linear(2 * sum(widths[1:]), FEATURES)

    def forward(self, pixels):
        x = functional.max_pool2d(functional.relu(self.norm(self.stem(contrast(pixels)))), 2)
        pooled = []
        for block in self.blocks:
            x = block(x)
            # The mean carries textures, the maximum a small mark that the mean would drown.
            pooled += [x.mean(dim=(2, 3)), x.amax(dim=(2, 3))]
        look = self.look(torch.cat(pooled, dim=1))
        # By hand: of functional.normalize the export loses how many features there are.
        features = look / look.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return self.head(torch.cat(pooled[-2:], dim=1)), features


class Calibrated(nn.Module):
    """What ships: calibrated scores, features, and how familiar a crop is.

    reference [m, FEATURES] holds the features of crops that were learned from; familiarity is
    the mean cosine to the nearest of them, and EVIDENCE times the log-sum-exp of the logits.
    """

    def __init__(self, net: Net, temperature: float, reference: torch.Tensor):
        super().__init__()
        self.net = net
        self.temperature = temperature
        self.register_buffer("reference", reference)

    def forward(self, pixels):
        logits, features = self.net(pixels)
        near = features @ self.reference.t()
        familiarity = torch.topk(near, NEIGHBOURS, dim=1).values.mean(dim=1)
        familiarity = familiarity + EVIDENCE * torch.logsumexp(logits, dim=1)
        scores = torch.softmax(logits / self.temperature, dim=1)
        return scores, features, familiarity
