"""Trains one network, and takes up where an interrupted run left off."""

import copy
import hashlib
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import augment
import network
import pictures

BATCH = 32
RATE = 3e-3
NO_DEFECT = "no_defect"
TAUGHT = 0.7  # weight of the teacher's answer against that of the label
KEEP_EVERY = 500  # steps between checkpoints
# Raise it when a change here, in augment.py or in network.py changes what comes out of a run: kept runs of
# another version are not taken up.
VERSION = 7


@dataclass(frozen=True)
class Recipe:
    """Everything but the pictures that decides what comes out."""

    classes: tuple[str, ...]
    shares: tuple[float, ...]  # how often each source is drawn from
    steps: int
    seed: int
    widths: tuple[int, ...] = network.WIDTHS
    teacher: tuple[int, ...] = ()  # widths of the network that teaches this one; none: the labels alone
    teacher_steps: int = 0


def sampling_weights(part: pictures.Pictures, classes: int) -> np.ndarray:
    """n^-0.5 a picture: rare classes are seen more often than their share, not as often as the others."""
    count = np.bincount(part.labels, minlength=classes)
    return count[part.labels] ** -0.5


class Sampler:
    """Draws batches from several sources: first a source by its share, then a picture by its weight."""

    def __init__(self, parts: list[pictures.Pictures], recipe: Recipe, rng: torch.Generator):
        classes = len(recipe.classes)
        self.rng, self.classes = rng, classes
        self.pixels = [torch.from_numpy(p.pixels).unsqueeze(1) for p in parts]
        self.labels = [torch.from_numpy(p.labels) for p in parts]
        self.weights = [torch.from_numpy(sampling_weights(p, classes)) for p in parts]
        self.shares = torch.tensor(recipe.shares)
        self.clean = recipe.classes.index(NO_DEFECT) if NO_DEFECT in recipe.classes else -1
        self.grounds = torch.cat([x[y == self.clean] for x, y in zip(self.pixels, self.labels, strict=True)])

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        source = torch.multinomial(self.shares, BATCH, replacement=True, generator=self.rng)
        xs, ys = [], []
        for i in range(len(self.pixels)):
            n = int((source == i).sum())
            if n == 0:
                continue
            pick = torch.multinomial(self.weights[i], n, replacement=True, generator=self.rng)
            xs.append(self.pixels[i][pick].float())
            ys.append(self.labels[i][pick])
        x, y = torch.cat(xs), torch.cat(ys)
        if len(self.grounds):
            self.elsewhere(x, y)
        return augment.augment(x, self.rng), functional.one_hot(y, self.classes).float()

    def elsewhere(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Puts some of a batch onto rough strip of another mill. As much plain rough strip is shown as strip
        with each way of a defect on it: else roughness itself would be learned as a defect."""
        kind = torch.rand(BATCH, generator=self.rng)
        for low, high, made in ((0, 0.1, None), (0.1, 0.2, augment.set_in), (0.2, 0.38, augment.paste)):
            some = (kind >= low) & (kind < high)
            if made:
                some &= y != self.clean
            if not some.any():
                continue
            pick = torch.randint(0, len(self.grounds), (int(some.sum()),), generator=self.rng)
            grounds = augment.roughen(self.grounds[pick].float(), self.rng)
            if made:
                x[some] = made(x[some], grounds, self.rng)
            else:
                x[some], y[some] = grounds, self.clean


def key(parts: list[pictures.Pictures], recipe: Recipe) -> str:
    """Names what a run comes to: the same version, recipe and pictures have the same key."""
    h = hashlib.sha256(json.dumps([VERSION, asdict(recipe)]).encode())
    for p in parts:
        for digest, label in zip(p.digests, p.labels, strict=True):
            h.update(f"{digest} {label}\n".encode())
    return h.hexdigest()[:16]


def fit(parts: list[pictures.Pictures], recipe: Recipe, work: Path, label: str) -> network.Net:
    """Trains from scratch, one thread, and returns the average of the weights along the way. A teacher is
    trained first, on the same pictures. work keeps what was trained and, of a run that was cut off, what is
    needed to go on: the result is the same."""
    work.mkdir(parents=True, exist_ok=True)
    teacher = None
    if recipe.teacher:
        alone = replace(
            recipe, widths=recipe.teacher, steps=recipe.teacher_steps, teacher=(), teacher_steps=0
        )
        teacher = fit(parts, alone, work, f"{label}, teacher").to(memory_format=torch.channels_last)
    path = work / f"{key(parts, recipe)}.pt"
    torch.manual_seed(recipe.seed)
    rng = torch.Generator().manual_seed(recipe.seed)
    # Channels last: twice as fast on a CPU.
    net = network.Net(len(recipe.classes), recipe.widths).to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net).eval()
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.05)
    begin = 0
    if path.exists():
        kept = torch.load(path, weights_only=True)
        mean.load_state_dict(kept["mean"])
        if kept["step"] == recipe.steps:
            return mean
        net.load_state_dict(kept["net"])
        optimizer.load_state_dict(kept["optimizer"])
        rng.set_state(kept["rng"])
        begin = kept["step"]

    def keep(step: int) -> None:
        state = {"step": step, "mean": mean.state_dict()}
        if step < recipe.steps:
            state |= {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "rng": rng.get_state()}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    sampler = Sampler(parts, recipe, rng)
    begun, running = time.monotonic(), math.nan
    net.train()
    for step in range(begin, recipe.steps):
        rate = RATE * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = sampler.batch()
        # Mixing on more of the batches underfits.
        if float(torch.rand(1, generator=rng)) < 0.12:
            x, y = augment.mix(x, y, rng)
        loss = functional.cross_entropy(net(x)[0], target(x, y, teacher), label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average(mean, net, min(0.995, step / (step + 10)))
        running = loss.item() if math.isnan(running) else running + (loss.item() - running) * 0.02
        if step % KEEP_EVERY == 24 or step == recipe.steps - 1:
            left = (time.monotonic() - begun) / (step + 1 - begin) * (recipe.steps - step - 1)
            bar = "#" * (20 * (step + 1) // recipe.steps)
            note = f"step {step + 1}/{recipe.steps}, loss {running:.3f}, {left:4.0f} s left"
            print(f"{label:<28} [{bar:<20}] {note}", file=sys.stderr, flush=True)
        if step % KEEP_EVERY == KEEP_EVERY - 1:
            keep(step + 1)
    keep(recipe.steps)
    return mean


def target(x: torch.Tensor, y: torch.Tensor, teacher: network.Net | None) -> torch.Tensor:
    """What is to be answered: the label and, mixed with it, what the teacher says of this very crop."""
    if teacher is None:
        return y
    with torch.no_grad():
        said = functional.softmax(teacher(x)[0], dim=1)
    return TAUGHT * said + (1 - TAUGHT) * y


def average(mean: network.Net, net: network.Net, keep: float) -> None:
    with torch.no_grad():
        for a, b in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if a.dtype.is_floating_point:
                a.mul_(keep).add_(b, alpha=1 - keep)
            else:
                a.copy_(b)
