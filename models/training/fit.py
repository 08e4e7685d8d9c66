"""Trains one network, and takes up where an interrupted run left off."""

import copy
import hashlib
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import augment
import network
import pictures
from teacher import Teacher

BATCH = 32
RATE = 3e-3
NO_DEFECT = "no_defect"
TAUGHT = 0.7  # weight of the teacher's answer against that of the label
LOOK = 10.0  # weight of seeing what the teacher sees against giving the right class
REPEATS = 10  # times that a batch is learned from, in other light; the teacher is asked about it once
FOREIGN = 0.25  # share of the batches that show foreign texture
EXAMPLES = 200  # batches at most that the teacher learns the classes from
WINDOW = 96  # pixels a side that the network sees of a crop's 128 while it learns, a multiple of 32
KEEP_EVERY = 500  # steps between checkpoints
TELL_EVERY = 100  # batches shown to the teacher between notes of progress
# Raise it when a change here, in augment.py, network.py or teacher.py changes what comes out of a run: kept
# runs of another version are not taken up.
VERSION = 8


@dataclass(frozen=True)
class Recipe:
    """Everything but the pictures that decides what comes out."""

    classes: tuple[str, ...]
    shares: tuple[float, ...]  # how often each source is drawn from
    steps: int
    seed: int
    widths: tuple[int, ...] = network.WIDTHS


def sampling_weights(part: pictures.Pictures, classes: int) -> np.ndarray:
    """n^-0.5 a picture: rare classes are seen more often than their share, not as often as the others."""
    count = np.bincount(part.labels, minlength=classes)
    return count[part.labels] ** -0.5


class Sampler:
    """Draws batches from several sources: first a source by its share, then a picture by its weight."""

    def __init__(self, parts: list[pictures.Pictures], recipe: Recipe, rng: torch.Generator):
        classes = len(recipe.classes)
        self.rng = rng
        self.pixels = [torch.from_numpy(p.pixels).unsqueeze(1) for p in parts]
        self.labels = [torch.from_numpy(p.labels) for p in parts]
        self.weights = [torch.from_numpy(sampling_weights(p, classes)) for p in parts]
        self.shares = torch.tensor(recipe.shares)
        self.clean = recipe.classes.index(NO_DEFECT) if NO_DEFECT in recipe.classes else -1
        self.grounds = torch.cat([x[y == self.clean] for x, y in zip(self.pixels, self.labels, strict=True)])

    def batch(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Crops in good light, their labels, and their kinds: the source, or one more for other strip."""
        kinds = torch.multinomial(self.shares, BATCH, replacement=True, generator=self.rng).sort().values
        xs, ys = [], []
        for i in range(len(self.pixels)):
            n = int((kinds == i).sum())
            if n == 0:
                continue
            pick = torch.multinomial(self.weights[i], n, replacement=True, generator=self.rng)
            xs.append(self.pixels[i][pick].float())
            ys.append(self.labels[i][pick])
        x, y = torch.cat(xs), torch.cat(ys)
        if len(self.grounds):
            self.elsewhere(x, y, kinds)
        return augment.warp(x, self.rng), y, kinds

    def elsewhere(self, x: torch.Tensor, y: torch.Tensor, kinds: torch.Tensor) -> None:
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
            kinds[some] = len(self.pixels)


def key(parts: list[pictures.Pictures], recipe: Recipe) -> str:
    """Names what a run comes to: the same version, recipe and pictures have the same key."""
    h = hashlib.sha256(json.dumps([VERSION, asdict(recipe)]).encode())
    for p in parts:
        for digest, label in zip(p.digests, p.labels, strict=True):
            h.update(f"{digest} {label}\n".encode())
    return h.hexdigest()[:16]


def fit(parts: list[pictures.Pictures], recipe: Recipe, work: Path, label: str) -> network.Net:
    """Trains from scratch, one thread, and returns the average of the weights along the way. The first of
    parts are the pictures of real strip. work keeps what was trained and, of a run that was cut off, what is
    needed to go on: the result is the same."""
    work.mkdir(parents=True, exist_ok=True)
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

    crops, looks, wanted = lessons(parts, recipe, label)
    begun, running = time.monotonic(), math.nan
    net.train()
    for step in range(begin, recipe.steps):
        rate = RATE * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        pick = torch.randint(0, len(crops), (BATCH,), generator=rng)
        logits, features = net(augment.worsen(augment.window(crops[pick].float(), WINDOW, rng), rng))
        unlike = 1 - (features * looks[pick]).sum(dim=1).mean()
        # Foreign crops are of no class: nothing is wanted of them.
        wrong = functional.cross_entropy(logits, wanted[pick], label_smoothing=0.02, reduction="none")
        loss = (wrong * wanted[pick].sum(dim=1)).mean() + LOOK * unlike
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average(mean, net, min(0.995, step / (step + 10)))
        running = loss.item() if math.isnan(running) else running + (loss.item() - running) * 0.02
        if step % KEEP_EVERY == 24 or step == recipe.steps - 1:
            left = (time.monotonic() - begun) / (step + 1 - begin) * (recipe.steps - step - 1)
            tell(label, step + 1, recipe.steps, f"steps, loss {running:.3f}, {left:4.0f} s left")
        if step % KEEP_EVERY == KEEP_EVERY - 1:
            keep(step + 1)
    keep(recipe.steps)
    return mean


def tell(label: str, done: int, of: int, note: str) -> None:
    bar = "#" * (20 * done // of)
    print(f"{label:<28} [{bar:<20}] {done}/{of} {note}", file=sys.stderr, flush=True)


def lessons(
    parts: list[pictures.Pictures], recipe: Recipe, label: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What a run learns from: crops in good light [n, 1, h, w] uint8, the teacher's features of them, and the
    chances of each class, its answer mixed with the label; zeros for the foreign crops behind them. The
    teacher sees whole crops in good light only: of a part in bad light the same is to be said. Drawn with
    numbers of its own, so that a run which goes on has the same."""
    rng = torch.Generator().manual_seed(recipe.seed)
    sampler = Sampler(parts, recipe, rng)
    teacher = Teacher(parts[0], rng)
    batches = math.ceil(recipe.steps / REPEATS)
    foreign = int(FOREIGN * batches)
    drawn = [sampler.batch() for _ in range(batches - foreign)]
    xs, ys, kinds = (list(v) for v in zip(*drawn, strict=True))
    xs += [augment.foreign(sampler.batch()[0], rng) for _ in range(foreign)]
    crops = torch.cat([x.clamp(0, 255).round().to(torch.uint8) for x in xs])
    seen = []
    for i, x in enumerate(crops.split(BATCH)):
        seen.append(teacher.see(x))
        if i % TELL_EVERY == 0:
            tell(label, (i + 1) * BATCH, len(crops), "crops shown to the teacher")
    rows = torch.cat(seen)
    labels, kinds = torch.cat(ys), torch.cat(kinds)
    n = len(labels)
    some = min(EXAMPLES * BATCH, n)
    teacher.learn(rows[:some], labels[:some], kinds[:some], (len(parts) + 1, len(recipe.classes)))
    wanted = torch.zeros(len(crops), len(recipe.classes))
    wanted[:n] = TAUGHT * teacher.chances(rows[:n], kinds)
    wanted[torch.arange(n), labels] += 1 - TAUGHT
    return crops, teacher.features(rows), wanted


def average(mean: network.Net, net: network.Net, keep: float) -> None:
    with torch.no_grad():
        for a, b in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if a.dtype.is_floating_point:
                a.mul_(keep).add_(b, alpha=1 - keep)
            else:
                a.copy_(b)
