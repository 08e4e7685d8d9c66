"""Trains the classifier, measures it on pictures it never saw, and writes a model bundle.

    python train.py --data xsdd=PATH/xsdd*0.65 --data simulator=PATH/simulated*0.35 \
        --golden PATH/golden --work PATH/work --out PATH/bundle

Every --data is NAME=FOLDER[*SHARE] of class folders; NAME must stand in sources.json, which holds the terms
of the pictures, and SHARE is how often it is drawn from. The hash of each picture's bytes puts it into one
of four folds. --folds networks (4) learn from three folds each and are measured on the fourth: their figures
are the report's, and give the temperature and the thresholds. The network that ships learns from everything.
What is trained is kept in --work: a run that was cut off goes on from there.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

import bundle
import fit
import measure
import network
import pictures

HERE = Path(__file__).resolve().parent
# Known crops a class that familiarity is measured against.
REFERENCE = 120
# Share of known pictures that may come out as unknown. Strip is noisier and more blurred than the collections
# are, so at work it is several times as many.
KNOWN_LOST = 0.005


@dataclass(frozen=True)
class Job:
    """One network to train: on which folds, without which class, with which seed."""

    label: str
    recipe: fit.Recipe
    without_fold: int = -1
    without_class: str = ""

    def learns(self, part: pictures.Pictures) -> pictures.Pictures:
        mask = part.fold != self.without_fold
        if self.without_class:
            mask &= part.labels != self.recipe.classes.index(self.without_class)
        return part.select(mask)


def train(job: Job, parts: list[pictures.Pictures], work: Path) -> network.Net:
    # One thread: the same sums in the same order, whatever the machine.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return fit.fit([job.learns(p) for p in parts], job.recipe, work, job.label)


def reference(net: network.Net, parts: list[pictures.Pictures]) -> np.ndarray:
    """Features of up to REFERENCE crops of each class of each source, the first by their hash."""
    chosen = []
    for p in parts:
        order = np.argsort(p.digests)
        for c in np.unique(p.labels):
            chosen.append(p.pixels[[i for i in order if p.labels[i] == c][:REFERENCE]])
    return measure.outputs(net, np.concatenate(chosen))[1].astype(np.float32)


@dataclass
class Unseen:
    """What networks said of pictures that they never learned from."""

    logits: np.ndarray
    familiarity: np.ndarray
    labels: np.ndarray
    source: np.ndarray  # index of the picture's source


def cross_validate(nets: list[network.Net], jobs: list[Job], parts: list[pictures.Pictures]) -> Unseen:
    rows = []
    for net, job in zip(nets, jobs, strict=True):
        known = reference(net, [job.learns(p) for p in parts])
        for i, p in enumerate(parts):
            rest = p.select(p.fold == job.without_fold)
            logits, features = measure.outputs(net, rest.pixels)
            rows.append((logits, measure.familiarity(features, known), rest.labels, np.full(len(logits), i)))
    return Unseen(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def hardened(nets: list[network.Net], jobs: list[Job], part: pictures.Pictures) -> dict[str, float]:
    """Accuracy on a source's unseen pictures as a worse camera would give them."""
    right: dict[str, int] = {}
    for net, job in zip(nets, jobs, strict=True):
        rest = part.select(part.fold == job.without_fold)
        for name, x in measure.hardened(rest.pixels).items():
            hits = int((measure.outputs(net, x)[0].argmax(axis=1) == rest.labels).sum())
            right[name] = right.get(name, 0) + hits
    seen = sum(int((part.fold == job.without_fold).sum()) for job in jobs)
    return {name: round(n / seen, 4) for name, n in right.items()}


def unknown_classes(args, recipe: fit.Recipe, parts: list[pictures.Pictures], pool) -> dict:
    """Trains without each class of the first source in turn, and asks what becomes of its pictures when 95 %
    of the known ones are kept."""
    steps = replace(recipe, steps=args.unknown_steps)
    present = [recipe.classes[c] for c in np.unique(parts[0].labels)]
    jobs = [Job(f"without {c}", steps, 0, c) for c in present]
    out = {}
    for job, net in zip(jobs, pool(jobs), strict=True):
        c = recipe.classes.index(job.without_class)
        known_crops = reference(net, [job.learns(p) for p in parts])
        rest = parts[0].select((parts[0].fold == 0) & (parts[0].labels != c))
        strange = parts[0].select(parts[0].labels == c)
        known = measure.familiarity(measure.outputs(net, rest.pixels)[1], known_crops)
        unknown = measure.familiarity(measure.outputs(net, strange.pixels)[1], known_crops)
        cut = np.quantile(known, 0.05)
        out[job.without_class] = {
            "unknown": round(float((unknown < cut).mean()), 4),
            "auroc": round(measure.auroc(known, unknown), 4),
        }
    mean = {k: round(float(np.mean([v[k] for v in out.values()])), 4) for k in ("unknown", "auroc")}
    return {"known_kept": 0.95, "mean": mean, "without": out}


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", action="append", required=True, metavar="NAME=FOLDER[*SHARE]")
    p.add_argument("--golden", type=Path, help="class folders whose pictures become golden crops")
    p.add_argument("--out", type=Path, help="bundle folder to write; none: only train and report")
    p.add_argument(
        "--measured",
        type=Path,
        help="bundle folder for the network that left out the first fold: for coilsight evaluate --fold 0/4",
    )
    p.add_argument("--work", type=Path, required=True, help="folder for what is trained")
    p.add_argument("--name", default="steel-surface")
    p.add_argument("--version", default="1.0.0")
    p.add_argument("--created", help="date of the bundle, YYYY-MM-DD", default=time.strftime("%Y-%m-%d"))
    p.add_argument("--steps", type=int, default=13000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument(
        "--folds",
        type=int,
        choices=range(1, pictures.FOLDS + 1),
        default=pictures.FOLDS,
        help="folds to measure on; fewer take less time and measure on fewer pictures",
    )
    p.add_argument("--seeds", type=int, default=1, help="networks of other seeds on fold 0, for the spread")
    p.add_argument("--unknown-steps", type=int, default=0, help="train without each class too, so long")
    p.add_argument("--jobs", type=int, default=2, help="networks trained at a time, one thread each")
    p.add_argument("--widths", type=lambda s: tuple(map(int, s.split(","))), default=network.WIDTHS)
    return p.parse_args()


def sources(args, classes: list[str]) -> tuple[list[str], list[dict], list[pictures.Pictures], list[float]]:
    known = json.loads((HERE / "sources.json").read_text())
    names, notes, parts, shares = [], [], [], []
    for spec in args.data:
        name, _, rest = spec.partition("=")
        folder, _, share = rest.partition("*")
        if name not in known:
            raise pictures.PictureError(
                f"--data {spec}: {name!r} is not in sources.json; allowed are {sorted(known)}"
            )
        part = pictures.load(Path(folder), classes)
        names.append(name)
        parts.append(part)
        shares.append(float(share or 1))
        notes.append(dict(known[name], name=name, pictures=len(part.labels)))
    return names, notes, parts, shares


def run(args: argparse.Namespace) -> None:
    catalogue = json.loads((HERE / "classes.json").read_text())
    classes = [c["id"] for c in catalogue]
    names, notes, parts, shares = sources(args, classes)
    golden = pictures.load(args.golden, classes) if args.golden else None
    recipe = fit.Recipe(tuple(classes), tuple(shares), args.steps, args.seed, tuple(args.widths))
    folds = [Job(f"fold {k + 1} of {pictures.FOLDS}", recipe, k) for k in range(args.folds)]
    seeds = [
        Job(f"seed {s}", replace(recipe, seed=s), 0) for s in range(args.seed + 1, args.seed + args.seeds)
    ]

    with ProcessPoolExecutor(args.jobs) as workers:

        def pool(jobs: list[Job]) -> list[network.Net]:
            n = len(jobs)
            return list(workers.map(train, jobs, [parts] * n, [args.work] * n))

        trained = pool([*folds, Job("everything", recipe), *seeds])
        nets, net, others = trained[: len(folds)], trained[len(folds)], trained[len(folds) + 1 :]
        unknown = unknown_classes(args, recipe, parts, pool) if args.unknown_steps else None

    unseen = cross_validate(nets, folds, parts)
    clean = classes.index(fit.NO_DEFECT)
    # Only where plain strip was seen too; the collections of defects show none.
    both = np.isin(unseen.source, [i for i, p in enumerate(parts) if (p.labels == clean).any()])
    offset = measure.offset(unseen.logits[both], unseen.labels[both], clean) if both.any() else 0.0
    unseen.logits[:, clean] += offset
    with torch.no_grad():
        for of in (*nets, net, *others):
            of.head.bias[clean] += offset
    temperature = measure.temperature(unseen.logits, unseen.labels)
    report = {
        "seed": args.seed,
        "steps": args.steps,
        "widths": list(args.widths),
        "parameters": sum(p.numel() for p in net.parameters()),
        "learned_from": {n: len(p.labels) for n, p in zip(names, parts, strict=True)},
        "no_defect_offset": offset,
        "temperature": temperature,
        "cross_validated": {},
    }
    for i, (name, part) in enumerate(zip(names, parts, strict=True)):
        of = unseen.source == i
        figures = measure.scores(unseen.logits[of], unseen.labels[of], classes, temperature)
        figures["accuracy_under"] = hardened(nets, folds, part)
        report["cross_validated"][name] = figures
    if others:
        first = parts[0].select(parts[0].fold == 0)
        report["seeds_on_fold_0"] = [
            round(float((measure.outputs(n, first.pixels)[0].argmax(axis=1) == first.labels).mean()), 4)
            for n in (nets[0], *others)
        ]
    threshold = round(float(np.quantile(unseen.familiarity[unseen.source == 0], KNOWN_LOST)), 4)
    report["familiarity_threshold"] = threshold
    if unknown:
        report["unknown"] = unknown
    print(json.dumps(report, indent=1))
    written = [(args.out, args.name, net, parts)] if args.out else []
    if args.measured:
        written.append((args.measured, f"{args.name}-fold", nets[0], [folds[0].learns(p) for p in parts]))
    for out, name, of, learned in written:
        model = network.Calibrated(of, temperature, torch.from_numpy(reference(of, learned)))
        named = argparse.Namespace(out=out, name=name, version=args.version, created=args.created)
        bundle.write(named, catalogue, model, golden, notes, report, {"threshold": threshold})
        print(f"bundle written to {out}")


if __name__ == "__main__":
    try:
        run(arguments())
    except pictures.PictureError as e:
        sys.exit(f"train: {e}")
