"""The classifier: a small residual network over one grey crop."""

import itertools

import torch
from torch import nn
from torch.nn import functional

# A crop darker than this is mostly noise; dividing by less would blow the noise up.
DARK = 12.0
# Channels of the stem and of each block.
WIDTHS = (16, 32, 64, 128)
# Added to a variance, since the root of 0 has no slope.
FLAT = 1e-4
# Numbers that say what a crop looks like: its features.
FEATURES = 128
# How many of the nearest known crops tell whether a crop is familiar.
NEIGHBOURS = 5
# What the evidence for any class at all, the logarithm of the summed exponentials of the logits, adds to it.
# Chosen on classes left out of training one by one.
EVIDENCE = 0.04
# How fast a known crop's say fades with its unlikeness, and what the likeness to a class's known crops counts
# beside the head's evidence for the class.
SHARPNESS = 50.0
MEMORY = 0.3


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
            mean = x.mean(dim=(2, 3), keepdim=True)
            # The mean carries textures, the spread how they vary: a small mark would drown in the mean.
            pooled += [mean.flatten(1), ((x - mean).square().mean(dim=(2, 3)) + FLAT).sqrt()]
        look = self.look(torch.cat(pooled, dim=1))
        # By hand: of functional.normalize the export loses how many features there are.
        features = look / look.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return self.head(torch.cat(pooled[-2:], dim=1)), features


class Judge(nn.Module):
    """A network and the crops that it remembers: maps crops to logits [n, classes], features [n, FEATURES]
    and how familiar each crop is [n].

    features [m, FEATURES] and labels [m] are those of the remembered crops, the first known of them pictures
    of real strip. Familiarity is the mean cosine to the nearest of these, and EVIDENCE times the log-sum-exp
    of the head's logits. What the head gives to the classes that crops are remembered of is divided anew
    among them: a class's logit rises by MEMORY times how like its crops the crop is, the logarithm of the
    mean of exp(SHARPNESS * cosine). The classes without remembered crops keep their share.
    """

    def __init__(self, net: Net, features: torch.Tensor, labels: torch.Tensor, known: int):
        super().__init__()
        self.net = net
        self.known = known
        member = functional.one_hot(labels, net.head.out_features).float()
        self.register_buffer("memory", features)
        self.register_buffer("member", member / member.sum(dim=0).clamp(min=1))
        self.register_buffer("remembered", member.amax(dim=0) > 0)

    def forward(self, pixels):
        logits, features = self.net(pixels)
        near = features @ self.memory.t()
        nearest = torch.topk(near[:, : self.known], NEIGHBOURS, dim=1).values
        familiarity = nearest.mean(dim=1) + EVIDENCE * torch.logsumexp(logits, dim=1)
        alike = torch.log(torch.exp(SHARPNESS * (near - 1)) @ self.member + 1e-30)
        divided = logits + MEMORY * alike
        share = self.share(logits) - self.share(divided)
        return torch.where(self.remembered, divided + share, logits), features, familiarity

    def share(self, logits):
        """The logarithm of what the classes with remembered crops have together."""
        return torch.logsumexp(logits.masked_fill(~self.remembered, -1e4), dim=1, keepdim=True)


class Calibrated(nn.Module):
    """What ships: a judge's logits as calibrated scores."""

    def __init__(self, judge: Judge, temperature: float):
        super().__init__()
        self.judge = judge
        self.temperature = temperature

    def forward(self, pixels):
        logits, features, familiarity = self.judge(pixels)
        return torch.softmax(logits / self.temperature, dim=1), features, familiarity
