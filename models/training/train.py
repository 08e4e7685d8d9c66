"""Trains the classifier and writes a model bundle.

    python train.py --data xsdd=../../../shared/data/xsdd --data simulator=/path/to/simulated \
        --golden /path/to/golden --out ../bundles/steel-surface-1

Every --data is NAME=FOLDER of class folders; NAME must stand in sources.json, which holds the terms of
the pictures. A quarter of each folder, chosen by the hash of the bytes, is never learned from and is what
the report is about. Pictures of the rest that a network did not see (--folds) give the temperature, and
are what a change of the recipe is to be judged by.
"""

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import augment
import bundle
import measure
import network
import pictures

HERE = Path(__file__).resolve().parent
BATCH = 32
NO_DEFECT = "no_defect"


def sampling_weights(part: pictures.Pictures, classes: int) -> np.ndarray:
    """n^-0.5 a picture: rare classes are seen more often than their share, not as often as the others."""
    count = np.bincount(part.labels, minlength=classes)
    return count[part.labels] ** -0.5


class Sampler:
    """Draws batches from several sources: first a source by its share, then a picture by its weight."""

    def __init__(self, parts: list[pictures.Pictures], shares: list[float], classes: list[str], rng):
        self.rng, self.classes, self.parts = rng, len(classes), parts
        self.pixels = [torch.from_numpy(p.pixels).unsqueeze(1) for p in parts]
        self.labels = [torch.from_numpy(p.labels) for p in parts]
        self.weights = [torch.from_numpy(sampling_weights(p, len(classes))) for p in parts]
        self.shares = torch.tensor(shares)
        clean = classes.index(NO_DEFECT)
        grounds = [x[y == clean] for x, y in zip(self.pixels, self.labels, strict=True)]
        self.grounds = torch.cat(grounds)
        self.clean = clean

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        source = torch.multinomial(self.shares, BATCH, replacement=True, generator=self.rng)
        xs, ys = [], []
        for i in range(len(self.parts)):
            n = int((source == i).sum())
            if n == 0:
                continue
            pick = torch.multinomial(self.weights[i], n, replacement=True, generator=self.rng)
            xs.append(self.pixels[i][pick].float())
            ys.append(self.labels[i][pick])
        x, y = torch.cat(xs), torch.cat(ys)
        if len(self.grounds):
            some = augment.chance(BATCH, 0.25, self.rng) & (y != self.clean)
            pick = torch.randint(0, len(self.grounds), (int(some.sum()),), generator=self.rng)
            if some.any():
                x[some] = augment.paste(x[some], self.grounds[pick].float(), self.rng)
        return augment.augment(x, self.rng), functional.one_hot(y, self.classes).float()


def fit(parts, shares, classes, steps: int, seed: int, widths, label: str) -> network.Net:
    """Trains from scratch and returns the average of the weights along the way."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    # Channels last: twice as fast on a CPU.
    net = network.Net(len(classes), widths).to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net).eval()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    sampler = Sampler(parts, shares, classes, rng)
    begun, running = time.monotonic(), 0.0
    net.train()
    for step in range(steps):
        rate = 3e-3 * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = sampler.batch()
        # Mixing on more of the batches underfits.
        if float(torch.rand(1, generator=rng)) < 0.12:
            x, y = augment.mix(x, y, rng)
        loss = functional.cross_entropy(net(x)[0], y, label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        keep = min(0.995, step / (step + 10))
        with torch.no_grad():
            for a, b in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if a.dtype.is_floating_point:
                    a.mul_(keep).add_(b, alpha=1 - keep)
                else:
                    a.copy_(b)
        running += (loss.item() - running) * 0.02
        if step % 25 == 24 or step == steps - 1:
            left = (time.monotonic() - begun) / (step + 1) * (steps - step - 1)
            print(
                f"\r{label}: step {step + 1}/{steps}, loss {running:.3f}, {left:4.0f} s left ",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)
    return mean


def cross_validate(parts, shares, classes, args) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of every learning picture from a network that did not see it."""
    logits, labels, sources = [], [], []
    for k in range(args.folds):
        seen = [p.select(p.fold % args.folds != k) for p in parts]
        net = fit(seen, shares, classes, args.steps, args.seed + k, args.widths, f"fold {k + 1}/{args.folds}")
        for i, p in enumerate(parts):
            rest = p.select(p.fold % args.folds == k)
            logits.append(measure.logits(net, rest.pixels))
            labels.append(rest.labels)
            sources += [i] * len(rest.labels)
    return np.concatenate(logits), np.concatenate(labels), np.array(sources)


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", action="append", required=True, metavar="NAME=FOLDER[*SHARE]")
    p.add_argument("--golden", type=Path, help="class folders whose pictures become golden crops")
    p.add_argument("--out", type=Path, help="bundle folder to write; none: only train and report")
    p.add_argument("--name", default="steel-surface")
    p.add_argument("--version", default="1.0.0")
    p.add_argument("--created", help="date of the bundle, YYYY-MM-DD", default=time.strftime("%Y-%m-%d"))
    p.add_argument("--steps", type=int, default=6000)
    p.add_argument(
        "--folds",
        type=int,
        default=4,
        help="networks for the temperature; 1: an eighth is set aside for it instead, in a fifth of the time",
    )
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--widths", type=lambda s: tuple(map(int, s.split(","))), default=(16, 24, 48, 96))
    return p.parse_args()


def run(args: argparse.Namespace) -> None:
    # One thread: the same sums in the same order, whatever the machine.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    catalogue = json.loads((HERE / "classes.json").read_text())
    classes = [c["id"] for c in catalogue]
    known = json.loads((HERE / "sources.json").read_text())
    names, parts, shares = [], [], []
    for spec in args.data:
        name, _, rest = spec.partition("=")
        folder, _, share = rest.partition("*")
        if name not in known:
            raise pictures.PictureError(
                f"--data {spec}: {name!r} is not in sources.json; allowed are {sorted(known)}"
            )
        names.append(name)
        parts.append(pictures.load(Path(folder), classes))
        shares.append(float(share or 1))
    golden = pictures.load(args.golden, classes) if args.golden else None
    learn = [p.select(~p.held_out) for p in parts]
    unseen = [p.select(p.held_out) for p in parts]
    report = {
        "seed": args.seed,
        "steps": args.steps,
        "widths": list(args.widths),
        "learned_from": {n: len(p.labels) for n, p in zip(names, learn, strict=True)},
    }
    if args.folds > 1:
        logits, labels, sources = cross_validate(learn, shares, classes, args)
        net = fit(learn, shares, classes, args.steps, args.seed, args.widths, "all")
    else:
        seen = [p.select(p.fold % 8 != 0) for p in learn]
        net = fit(seen, shares, classes, args.steps, args.seed, args.widths, "seven eighths")
        rest = [p.select(p.fold % 8 == 0) for p in learn]
        logits = np.concatenate([measure.logits(net, p.pixels) for p in rest])
        labels = np.concatenate([p.labels for p in rest])
        sources = np.repeat(range(len(rest)), [len(p.labels) for p in rest])
    temperature = measure.temperature(logits, labels)
    report["temperature"] = temperature
    report["validation"] = {
        n: measure.scores(logits[sources == i], labels[sources == i], classes, temperature)
        for i, n in enumerate(names)
    }
    print(json.dumps(report["validation"], indent=1))
    report["parameters"] = sum(p.numel() for p in net.parameters())
    report["held_out"] = {
        n: measure.report(net, p, classes, temperature) for n, p in zip(names, unseen, strict=True)
    }
    print(json.dumps(report["held_out"], indent=1))
    if args.out:
        notes = [dict(known[n], name=n, pictures=len(p.labels)) for n, p in zip(names, learn, strict=True)]
        bundle.write(args, catalogue, network.Calibrated(net, temperature), golden, notes, report)
        print(f"bundle written to {args.out}")


if __name__ == "__main__":
    try:
        run(arguments())
    except pictures.PictureError as e:
        sys.exit(f"train: {e}")
