"""Changes that a line can make to a picture without changing what is in it."""

import math

import torch
from torch.nn import functional

# Share of a picture's own contrast at which its defect may show on other strip.
FAINTEST, STRONGEST = 0.35, 1.25


def uniform(n: int, low: float, high: float, rng: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=rng) * (high - low) + low


def uniform_log(n: int, low: float, high: float, rng: torch.Generator) -> torch.Tensor:
    return torch.exp(uniform(n, math.log(low), math.log(high), rng))


def chance(n: int, p: float, rng: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=rng) < p


def warp(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Pictures seen otherwise: zoom, rotation of up to 12 degrees, flips, shift, mirrored beyond its edge."""
    n = len(x)
    zoom = uniform_log(n, 0.8, 1.25, rng)
    angle = uniform(n, -math.pi / 15, math.pi / 15, rng)
    # Orientation along the rolling direction tells classes apart: only half of the crops turn.
    angle = torch.where(chance(n, 0.5, rng), angle, torch.zeros(n))
    sx = torch.where(chance(n, 0.5, rng), 1.0, -1.0)
    sy = torch.where(chance(n, 0.5, rng), 1.0, -1.0)
    scale = 1 / zoom
    room = (1 - scale).clamp(min=0)
    dx = uniform(n, -1, 1, rng) * room
    dy = uniform(n, -1, 1, rng) * room
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        (torch.stack((cos * sx, -sin * sy, dx), 1), torch.stack((sin * sx, cos * sy, dy), 1)), 1
    )
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def window(x: torch.Tensor, side: int, rng: torch.Generator) -> torch.Tensor:
    """One window for all pictures, each mirrored or not in both directions."""
    top, left = (int(torch.randint(0, x.shape[2] - side + 1, (1,), generator=rng)) for _ in range(2))
    x = x[:, :, top : top + side, left : left + side]
    for direction in (2, 3):
        x = torch.where(chance(len(x), 0.5, rng).view(-1, 1, 1, 1), x, x.flip(direction))
    return x


def light(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Gain, contrast, gamma, a slope across and along, an offset."""
    n, _, h, w = x.shape

    def column(v):
        return v.view(n, 1, 1, 1)

    x = 255 * (x.clamp(0, 255) / 255) ** column(torch.exp(uniform(n, -0.25, 0.25, rng)))
    mean = x.mean(dim=(2, 3), keepdim=True)
    x = mean + (x - mean) * column(uniform_log(n, 0.5, 1.5, rng))
    across = torch.linspace(-1, 1, w).view(1, 1, 1, w) * column(uniform(n, -0.15, 0.15, rng))
    along = torch.linspace(-1, 1, h).view(1, 1, h, 1) * column(uniform(n, -0.15, 0.15, rng))
    x = x * (1 + across + along) * column(uniform_log(n, 0.45, 1.6, rng))
    return x + column(uniform(n, -20, 20, rng))


def blur(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """A box of 3 or 5 pixels, or a Gaussian, on a quarter of the crops."""
    out = x.clone()
    kind = torch.rand(x.shape[0], generator=rng)
    for low, high, size in ((0.0, 0.08, 3), (0.08, 0.16, 5)):
        some = (kind >= low) & (kind < high)
        if some.any():
            padded = functional.pad(x[some], [size // 2] * 4, mode="reflect")
            out[some] = functional.avg_pool2d(padded, size, stride=1)
    some = (kind >= 0.16) & (kind < 0.24)
    if some.any():
        sigma = float(uniform(1, 0.6, 1.8, rng))
        t = torch.arange(-4, 5, dtype=torch.float32)
        k = torch.exp(-0.5 * (t / sigma) ** 2)
        k = (k / k.sum()).view(1, 1, 1, 9)
        y = functional.conv2d(functional.pad(x[some], [4, 4, 4, 4], mode="reflect"), k)
        out[some] = functional.conv2d(y, k.transpose(2, 3))
    return out


def noise(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Sensor noise: little on half of the crops, up to a standard deviation of 16 grey levels."""
    n = x.shape[0]
    sigma = torch.where(chance(n, 0.5, rng), uniform(n, 3, 16, rng), uniform(n, 0, 3, rng)).view(n, 1, 1, 1)
    return x + sigma * torch.randn(x.shape, generator=rng)


def worsen(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Crops as other lamps and a worse camera would give them, in whole grey levels."""
    return noise(blur(light(x, rng), rng), rng).clamp(0, 255).round()


def paste(defects: torch.Tensor, grounds: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Sets pictures of defects into strip in place of what is there: with a feathered edge, the strip's
    brightness, FAINTEST to STRONGEST of their contrast and up to a quarter off the middle, so that neither
    the texture around a defect nor how strong it is says much about its class."""
    n, _, h, w = defects.shape
    mean = defects.mean(dim=(2, 3), keepdim=True)
    level = grounds.mean(dim=(2, 3), keepdim=True)
    contrast = uniform_log(n, FAINTEST, STRONGEST, rng).view(n, 1, 1, 1)
    half = uniform(n, 0.62, 0.95, rng).view(n, 1, 1, 1)
    feather = uniform(n, 0.1, 0.4, rng).view(n, 1, 1, 1)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1
    theta[:, :, 2] = uniform(2 * n, -0.5, 0.5, rng).view(n, 2) * chance(n, 0.5, rng).view(n, 1)
    grid = functional.affine_grid(theta, [n, 1, h, w], align_corners=False)
    shifted = functional.grid_sample(defects - mean, grid, padding_mode="border", align_corners=False)
    x, y = grid[..., 0].abs().unsqueeze(1), grid[..., 1].abs().unsqueeze(1)
    # Marks that run along the strip keep running: the window is open along on half of the crops.
    y = torch.where(chance(n, 0.5, rng).view(n, 1, 1, 1), y, torch.zeros_like(y))
    mask = ((half - torch.maximum(x, y)) / feather + 0.5).clamp(0, 1)
    return mask * (level + contrast * level / mean.clamp(min=1) * shifted) + (1 - mask) * grounds


def foreign(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Textures of no class, made from pictures: turned to any angle and zoomed by 0.5 to 4, then a quarter of
    them each shuffled in patches, with its waves' phases lost, laid over another, or in the negative."""
    n, _, side, _ = x.shape
    angle, zoom = uniform(n, 0, 2 * math.pi, rng), uniform_log(n, 0.5, 4, rng)
    cos, sin, none = torch.cos(angle) / zoom, torch.sin(angle) / zoom, torch.zeros(n)
    theta = torch.stack((torch.stack((cos, -sin, none), 1), torch.stack((sin, cos, none), 1)), 1)
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    x = functional.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    mean = x.mean(dim=(2, 3), keepdim=True)
    kind = torch.randint(0, 4, (n,), generator=rng)
    patch = side // int(2 ** torch.randint(1, 4, (1,), generator=rng))
    patches = functional.unfold(x, patch, stride=patch)
    order = torch.rand(patches.shape[2], generator=rng).argsort()
    shuffled = functional.fold(patches[:, :, order], (side, side), patch, stride=patch)
    waves = torch.fft.rfft2(torch.rand(x.shape, generator=rng) - 0.5)
    lost = torch.fft.irfft2(torch.fft.rfft2(x - mean).abs() * torch.exp(1j * waves.angle()), s=(side, side))
    other = torch.rand(n, generator=rng).argsort()
    made = (shuffled, mean + lost, mean + (x - mean + (x - mean)[other]) * 0.7, 2 * mean - x)
    return torch.stack(made)[kind, torch.arange(n)]


GRAINS = ((1, 1), (1, 2), (2, 2), (4, 4), (8, 1), (16, 2), (32, 4))  # pixels along and across


def roughen(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Strip of another mill: two layers of grain, round or drawn out along the strip, each with a standard
    deviation of up to 8 % of the brightness."""
    n, _, h, w = x.shape
    mean = x.mean(dim=(2, 3), keepdim=True)
    for _ in range(2):
        along, across = GRAINS[int(torch.randint(0, len(GRAINS), (1,), generator=rng))]
        grain = torch.randn((n, 1, h // along, w // across), generator=rng)
        if (along, across) != (1, 1):
            grain = functional.interpolate(grain, size=(h, w), mode="bilinear", align_corners=False)
        x = x + uniform(n, 0, 0.08, rng).view(n, 1, 1, 1) * mean * grain
    return x


def set_in(defects: torch.Tensor, grounds: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Adds to strip what differs from a defect picture's mean, at 0.5 to STRONGEST of its contrast and fading
    out at its border: a defect as it looks on steel that the collection does not show."""
    n, _, h, w = defects.shape
    mean = defects.mean(dim=(2, 3), keepdim=True)
    ratio = grounds.mean(dim=(2, 3), keepdim=True) / mean.clamp(min=1)
    contrast = uniform_log(n, 0.5, STRONGEST, rng).view(n, 1, 1, 1)
    y = torch.arange(h) + 1
    border = torch.minimum(torch.minimum(y, h + 1 - y).view(h, 1), torch.minimum(y, w + 1 - y).view(1, w))
    fade = (border / uniform(n, 8, 32, rng).view(n, 1, 1, 1)).clamp(max=1)
    return grounds + fade * contrast * ratio * (defects - mean)
