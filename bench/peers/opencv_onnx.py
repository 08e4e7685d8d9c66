"""OpenCV and ONNX Runtime: how a plant's engineer would find and name regions in a day's work.

The strip is divided by its own shading, blurred at several sizes, differences and local roughness
thresholded, closed, and taken apart into connected components; each is cut out and given to the shipped
model. All sizes are in pixels, all contrasts in percent of the brightness around.
"""

import argparse
import itertools
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import strips
from strips import DataError, Figures, Rect, Result, Strip

CROP = 128  # pixels a side that the model sees
BATCH = 8  # crops a run, as the appliance is set
BACKGROUND = 24  # grey levels; darker is no strip
DRAWS = 40  # settings that --choose tries with each pair of blurs


@dataclass(frozen=True)
class Limits:
    """What is chosen: blurs in pixels, contrasts in percent."""

    fine: int  # blur that spots are seen through
    coarse: int  # blur that stands for the surroundings
    contrast: float  # that fine must differ from coarse by at least
    spread: float  # and how many of the strip's ordinary differences it must be
    patch: float  # that 15 pixels must differ from 151 by; 0: never
    rough: float  # how many times the strip's ordinary roughness fires; 0: never
    ordinary: float  # the quantile of differences and roughness that counts as ordinary
    close: int  # gaps up to this are closed
    least: int  # area of a component in pixels


# What `--choose half` gives: the best of seeds 1 to 3 on the strips that limits may be chosen on.
CHOSEN = Limits(3, 19, 10, 2, 25, 4, 0.25, 3, 128)

FINE = (3, 5, 7, 9)
COARSE = (19, 25, 31, 45, 61)
OTHERS = {
    "contrast": (3, 5, 6, 8, 10, 12, 15),
    "spread": (1.5, 2, 2.5, 3, 4),
    "patch": (0, 0, 10, 15, 20, 25),
    "rough": (0, 1.5, 1.7, 2, 2.5, 3, 4),
    "ordinary": (0.1, 0.25, 0.5),
    "close": (1, 3, 5, 7, 9),
    "least": (64, 96, 128, 192, 256),
}


@dataclass
class Measures:
    """What is thresholded: pictures of one size, float32 in percent but for strip."""

    strip: np.ndarray  # uint8, 255 where there is strip
    differs: np.ndarray
    patch: np.ndarray | None
    texture: np.ndarray | None


def measure(grey: np.ndarray, k: Limits) -> Measures:
    """The measures of a uint8 picture [height, width]."""
    strip = cv2.compare(cv2.blur(grey, (31, 31)), BACKGROUND, cv2.CMP_GT)
    strip = cv2.erode(strip, np.ones((9, 9), np.uint8), borderValue=255)
    level = grey.astype(np.float32)
    patch = texture = None
    if k.patch:
        patch = cv2.absdiff(_percent(cv2.blur(level, (15, 15)), cv2.blur(level, (151, 151))), 100.0)
    level = _percent(level, cv2.blur(level, (k.coarse, k.coarse)))  # flat field and lamps in one
    if k.rough:
        texture = cv2.blur(cv2.absdiff(level, cv2.blur(level, (3, 3))), (17, 17))
    return Measures(strip, cv2.absdiff(cv2.blur(level, (k.fine, k.fine)), 100.0), patch, texture)


def _percent(level: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Brightness in percent of that around, which counts as one grey level at least."""
    return cv2.divide(level, cv2.max(around, 1.0), scale=100)


def rectangles(m: Measures, k: Limits) -> list[Rect]:
    """The rectangles about what is over the limits."""
    limit = max(k.contrast, k.spread * _quantile(m.differs, m.strip, k.ordinary))
    mask = cv2.compare(m.differs, limit, cv2.CMP_GT)
    if m.patch is not None and k.patch:
        mask |= cv2.compare(m.patch, k.patch, cv2.CMP_GT)
    if m.texture is not None and k.rough:
        mask |= cv2.compare(m.texture, k.rough * _quantile(m.texture, m.strip, k.ordinary), cv2.CMP_GT)
    mask &= m.strip
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((k.close, k.close), np.uint8))
    stats = cv2.connectedComponentsWithStats(mask)[2]
    large = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= k.least]
    return [Rect(int(x), int(y), int(w), int(h)) for x, y, w, h, _ in large]


def _quantile(values: np.ndarray, strip: np.ndarray, share: float) -> float:
    """A quantile over the strip, of every fourth pixel each way."""
    some = values[::4, ::4][strip[::4, ::4] > 0]
    return float(np.quantile(some, share)) if some.size else 0.0


class Model:
    """The shipped classifier on one thread."""

    def __init__(self, bundle: Path) -> None:
        try:
            manifest = json.loads((bundle / "manifest.json").read_text())
            data = (bundle / "model.onnx").read_bytes()
        except OSError as e:
            raise DataError(
                f"the model in {bundle} cannot be read ({e.strerror}); name it with --bundle"
            ) from e
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.classes = [c["id"] for c in manifest["classes"]]
        self.familiar = manifest["unknown"]["threshold"]

    def names(self, grey: np.ndarray, rects: list[Rect]) -> list[str]:
        """Each rectangle's class: `no_defect` is ordinary strip, `unknown` resembles no class."""
        names: list[str] = []
        for i in range(0, len(rects), BATCH):
            pixels = np.stack([_crop(grey, r) for r in rects[i : i + BATCH]])[:, None]
            scores, familiarity = self.session.run(["scores", "familiarity"], {"pixels": pixels})
            for best, like in zip(scores.argmax(axis=1), familiarity, strict=True):
                name = self.classes[best]
                names.append(name if name == "no_defect" or like >= self.familiar else "unknown")
        return names

    def kept(self, strip: Strip, rects: list[Rect]) -> list[Rect]:
        """The rectangles that the model does not take for ordinary strip."""
        names = self.names(strip.grey, rects)
        return [r for r, n in zip(rects, names, strict=True) if n != "no_defect"]


def _crop(grey: np.ndarray, r: Rect) -> np.ndarray:
    """CROP x CROP pixels at native scale about the middle of r, moved into the picture."""
    height, width = grey.shape
    x = min(max(r.x + r.width // 2 - CROP // 2, 0), width - CROP)
    y = min(max(r.y + r.height // 2 - CROP // 2, 0), height - CROP)
    return grey[y : y + CROP, x : x + CROP]


def choose(seen: list[Strip], seed: int) -> tuple[Limits, Figures]:
    """The settings whose regions find most on seen strips within the caps on area and clean windows."""
    draw = random.Random(seed)
    best, score = CHOSEN, -1e9
    result = Figures()
    for fine, coarse in itertools.product(FINE, COARSE):
        every = Limits(fine, coarse, 1, 1, 1, 1, 0.5, 1, 1)
        measures = [measure(s.grey, every) for s in seen]
        for _ in range(DRAWS):
            k = Limits(fine, coarse, **{name: draw.choice(values) for name, values in OTHERS.items()})
            f = strips.judge(seen, [rectangles(m, k) for m in measures])
            if strips.score(f) > score:
                best, score, result = k, strips.score(f), f
    return best, result


def peer(args: argparse.Namespace) -> Result:
    """Finds, names, judges and times."""
    cv2.setNumThreads(1)
    every = strips.read_strips(args.data)
    for s in every:
        if min(s.grey.shape) < CROP:
            raise DataError(f"{s.name} is smaller than the {CROP} x {CROP} pixels that the model sees")
    limits = CHOSEN
    if args.choose:
        seen = every if args.choose == "all" else [s for s in every if s.tuned]
        limits, figures = choose(seen, args.seed)
        print(limits, figures, file=sys.stderr)
    model = Model(args.bundle)

    def find(strip: Strip) -> list[Rect]:
        return rectangles(measure(strip.grey, limits), limits)

    found = [find(s) for s in every]
    events = [model.kept(s, r) for s, r in zip(every, found, strict=True)]
    alone = strips.judge(every, found)
    note = (
        f"OpenCV {cv2.__version__}: {limits}. Before the model rejects {alone.found} of {alone.regions} "
        f"regions in {alone.events} rectangles, {alone.fired} of {alone.windows} clean windows, "
        f"{alone.inside / alone.area:.1%} of the area."
    )
    return Result(
        "OpenCV + ONNX Runtime",
        strips.rate(every, find, args.seconds),
        strips.rate(every, lambda s: model.kept(s, find(s)), args.seconds),
        strips.judge(every, events),
        None if args.choose == "all" else strips.halves(every, events, tuned=False),
        note,
    )


if __name__ == "__main__":
    parser = strips.arguments("Finds regions with OpenCV, names them with the shipped model, and is timed.")
    parser.add_argument(
        "--choose", choices=["half", "all"], help="choose limits anew, on half of the strips or all"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the settings that --choose tries")
    strips.main(parser, peer)
