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

import augment
import bundle
import fit
import measure
import network
import pictures
import teacher

HERE = Path(__file__).resolve().parent
# Known crops a class that familiarity is measured against.
REFERENCE = 150
ELSEWHERE = 30
# Share of known pictures, as they are and as a worse camera would give them, that may come out as unknown.
KNOWN_LOST = 0.005


@dataclass(frozen=True)
class Job:
    """One network to train: on which folds, without which class, with which seed."""

    label: str
    recipe: fit.Recipe
    without_fold: int = -1
    without_class: str = ""
    without_source: int = -1

    def learns(self, parts: list[pictures.Pictures]) -> list[pictures.Pictures]:
        return [self.learns_of(p, i) for i, p in enumerate(parts)]

    def learns_of(self, part: pictures.Pictures, source: int) -> pictures.Pictures:
        mask = (part.fold != self.without_fold) & (source != self.without_source)
        if self.without_class:
            mask &= part.labels != self.recipe.classes.index(self.without_class)
        return part.select(mask)


def train(job: Job, parts: list[pictures.Pictures], work: Path) -> network.Net:
    # One thread: the same sums in the same order, whatever the machine.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return fit.fit(job.learns(parts), job.recipe, work, job.label)


def clean_of(recipe: fit.Recipe) -> int:
    """The class of plain strip, -1 where there is none."""
    return recipe.classes.index(fit.NO_DEFECT) if fit.NO_DEFECT in recipe.classes else -1


def reference(net: network.Net, parts: list[pictures.Pictures], clean: int) -> np.ndarray:
    """Features of up to REFERENCE crops of each defect class, the first by their hash, and of up to ELSEWHERE
    of them on other strip: a known defect on steel that no collection shows is no unknown one. Each class
    comes from the first source that has it: with the simulator's crops of all classes beside the real ones,
    less of what was never seen would be strange."""
    plain = np.concatenate([p.pixels[p.labels == clean] for p in parts])
    rng = torch.Generator().manual_seed(1)
    chosen = []
    for c in np.unique(np.concatenate([p.labels for p in parts])):
        if c == clean:
            continue
        p = next(p for p in parts if (p.labels == c).any())
        crops = p.pixels[[i for i in np.argsort(p.digests) if p.labels[i] == c][:REFERENCE]]
        chosen.append(crops)
        if len(plain) == 0:
            continue
        some = torch.from_numpy(crops[:ELSEWHERE]).unsqueeze(1).float()
        grounds = torch.from_numpy(plain[np.arange(len(some)) % len(plain)]).unsqueeze(1).float()
        moved = augment.paste(some, augment.roughen(grounds, rng), rng)
        chosen.append(moved.clamp(0, 255).round().to(torch.uint8).squeeze(1).numpy())
    return measure.outputs(net, np.concatenate(chosen))[1].astype(np.float32)


@dataclass
class Unseen:
    """What networks said of pictures that they never learned from."""

    logits: np.ndarray
    labels: np.ndarray
    source: np.ndarray  # index of the picture's source


def cross_validate(nets: list[network.Net], jobs: list[Job], parts: list[pictures.Pictures]) -> Unseen:
    rows = []
    for net, job in zip(nets, jobs, strict=True):
        for i, p in enumerate(parts):
            rest = p.select(p.fold == job.without_fold)
            logits = measure.outputs(net, rest.pixels)[0]
            rows.append((logits, rest.labels, np.full(len(logits), i)))
    return Unseen(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def familiar(nets: list[network.Net], jobs: list[Job], parts: list[pictures.Pictures]) -> np.ndarray:
    """How familiar the first source's unseen pictures are, as they are and as from a worse camera."""
    out = []
    for net, job in zip(nets, jobs, strict=True):
        known = reference(net, job.learns(parts), clean_of(job.recipe))
        rest = parts[0].select(parts[0].fold == job.without_fold)
        for x in (rest.pixels, *measure.hardened(rest.pixels).values()):
            out.append(measure.familiarity(*measure.outputs(net, x), known))
    return np.concatenate(out)


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
        known_crops = reference(net, job.learns(parts), clean_of(job.recipe))
        rest = parts[0].select((parts[0].fold == 0) & (parts[0].labels != c))
        strange = parts[0].select(parts[0].labels == c)
        known = measure.familiarity(*measure.outputs(net, rest.pixels), known_crops)
        unknown = measure.familiarity(*measure.outputs(net, strange.pixels), known_crops)
        cut = np.quantile(known, 0.05)
        out[job.without_class] = {
            "unknown": round(float((unknown < cut).mean()), 4),
            "auroc": round(measure.auroc(known, unknown), 4),
        }
    mean = {k: round(float(np.mean([v[k] for v in out.values()])), 4) for k in ("unknown", "auroc")}
    return {"known_kept": 0.95, "mean": mean, "without": out}


def without(source: int, folds: list[Job]) -> list[Job]:
    """The same networks without one source of pictures."""
    jobs = []
    for job in folds:
        shares = tuple(0.0 if i == source else s for i, s in enumerate(job.recipe.shares))
        recipe = replace(job.recipe, shares=shares)
        jobs.append(replace(job, label=f"{job.label} without", recipe=recipe, without_source=source))
    return jobs


def right(nets: list[network.Net], folds: list[Job], part: pictures.Pictures) -> float:
    """Share of a source's pictures that the networks which never saw them give the right class."""
    hits = seen = 0
    for net, job in zip(nets, folds, strict=True):
        rest = part.select(part.fold == job.without_fold)
        hits += int((measure.outputs(net, rest.pixels)[0].argmax(axis=1) == rest.labels).sum())
        seen += len(rest.labels)
    return round(hits / max(seen, 1), 4)


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
    p.add_argument("--steps", type=int, default=36000)
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
    p.add_argument("--compare-without", metavar="NAME", help="report what the pictures of this --data change")
    p.add_argument("--jobs", type=int, default=2, help="networks trained at a time, one thread each")

    def widths(text: str) -> tuple[int, ...]:
        return tuple(map(int, text.split(",")))

    p.add_argument("--widths", type=widths, default=network.WIDTHS)
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
    recipe = fit.Recipe(tuple(classes), tuple(shares), args.steps, args.seed, args.widths)
    if args.compare_without and args.compare_without not in names:
        raise pictures.PictureError(
            f"--compare-without {args.compare_without}: no --data has this name; allowed are {names}"
        )
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
        fewer = pool(without(names.index(args.compare_without), folds)) if args.compare_without else []
        unknown = unknown_classes(args, recipe, parts, pool) if args.unknown_steps else None

    unseen = cross_validate(nets, folds, parts)
    clean = clean_of(recipe)
    # Each source weighs the same, however many pictures it has.
    weights = 1 / np.bincount(unseen.source)[unseen.source]
    temperature = measure.temperature(unseen.logits, unseen.labels, weights)
    report = {
        "seed": args.seed,
        "steps": args.steps,
        "widths": list(args.widths),
        "taught_by": teacher.NOTE["name"],
        "parameters": sum(p.numel() for p in net.parameters()),
        "learned_from": {n: len(p.labels) for n, p in zip(names, parts, strict=True)},
        "temperature": temperature,
        "cross_validated": {},
    }
    for i, (name, part) in enumerate(zip(names, parts, strict=True)):
        of = unseen.source == i
        figures = measure.scores(unseen.logits[of], unseen.labels[of], classes, temperature)
        figures["accuracy_under"] = hardened(nets, folds, part)
        report["cross_validated"][name] = figures
    if fewer:
        report["changed_by"] = {
            "source": args.compare_without,
            "pictures": len(parts[names.index(args.compare_without)].labels),
            "accuracy": {
                n: {"with": right(nets, folds, p), "without": right(fewer, folds, p)}
                for n, p in zip(names, parts, strict=True)
            },
        }
    if others:
        first = parts[0].select(parts[0].fold == 0)
        report["seeds_on_fold_0"] = [
            round(float((measure.outputs(n, first.pixels)[0].argmax(axis=1) == first.labels).mean()), 4)
            for n in (nets[0], *others)
        ]
    threshold = round(float(np.quantile(familiar(nets, folds, parts), KNOWN_LOST)), 4)
    report["familiarity_threshold"] = threshold
    if unknown:
        report["unknown"] = unknown
    print(json.dumps(report, indent=1))
    written = [(args.out, args.name, net, parts)] if args.out else []
    if args.measured:
        written.append((args.measured, f"{args.name}-fold", nets[0], folds[0].learns(parts)))
    for out, name, of, learned in written:
        model = network.Calibrated(of, temperature, torch.from_numpy(reference(of, learned, clean)))
        named = argparse.Namespace(out=out, name=name, version=args.version, created=args.created)
        origins = [*notes, teacher.NOTE]
        bundle.write(named, catalogue, model, golden, origins, report, {"threshold": threshold})
        print(f"bundle written to {out}")


if __name__ == "__main__":
    try:
        run(arguments())
    except pictures.PictureError as e:
        sys.exit(f"train: {e}")
