"""Labelled strips, the judging of events on them, and the timing that every peer shares.

The rules are those of `coilsight evaluate` (docs/evaluate.md). Rectangles, areas and lengths are in pixels;
MB is 10^6 bytes, one byte a pixel.
"""

import argparse
import csv
import ctypes
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

FOUND_SHARE = 0.3  # of a labelled region's pixels must lie inside events
SPECK = 64  # pixels; a smaller labelled region is a rest of the drawing
AREA_CAP = 0.20  # of the strip may lie inside events: what Coilsight is held to
FIRED_CAP = 0.10  # of the clean windows may fire: likewise
PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}
REPOSITORY = Path(__file__).resolve().parents[2]


class DataError(Exception):
    """Data that cannot be used; the message names it and says what is needed."""


class Rect(NamedTuple):
    """A rectangle in pixels from the picture's top left."""

    x: int
    y: int
    width: int
    height: int

    def holds_middle_of(self, other: "Rect") -> bool:
        """Whether the middle of other, rounded down, lies inside."""
        x, y = other.x + other.width // 2, other.y + other.height // 2
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass
class Strip:
    """One picture with its labels."""

    name: str
    grey: np.ndarray  # uint8 [height, width]
    regions: list[np.ndarray]  # of each labelled region its pixels, as indices into the flattened picture
    specks: int  # labelled regions left out for being smaller than SPECK
    clean: list[Rect]  # windows without a defect
    tuned: bool  # limits may be chosen on it: its file's SHA-256 begins with an odd byte, as for Coilsight


@dataclass
class Figures:
    """Counts over strips; areas in pixels."""

    found: int = 0
    regions: int = 0
    fired: int = 0
    windows: int = 0
    inside: int = 0
    area: int = 0
    events: int = 0


@dataclass
class Result:
    """What one peer says of itself."""

    name: str
    find_mb_per_second: float | None  # regions alone, without a model's verdict on them
    mb_per_second: float | None  # the whole of it
    figures: Figures | None  # on all strips; None where nothing could be judged
    unseen: Figures | None  # on the strips that nothing was chosen on
    note: str


def read_strips(folder: Path) -> list[Strip]:
    """Reads strips/, rle.csv and clean_windows.csv of a folder, strips in the order of their names."""
    strips: dict[str, Strip] = {}
    paths = sorted(p for p in _listed(folder / "strips") if p.suffix.lower() in PICTURES)
    for path in paths:
        data = path.read_bytes()
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise DataError(f"{path} is not a readable picture; needed are JPEG, PNG or TIFF files")
        strips[path.name] = Strip(path.name, grey, [], 0, [], hashlib.sha256(data).digest()[0] % 2 == 1)
    if not strips:
        raise DataError(f"{folder / 'strips'} has no picture; needed are JPEG, PNG or TIFF files")
    for row in _rows(folder / "rle.csv", ["image", "class", "rle"], strips):
        strip = strips[row[0]]
        for pixels in _connected(row[2], strip.grey.shape, f"the mask of {row[0]}"):
            if len(pixels) < SPECK:
                strip.specks += 1
            else:
                strip.regions.append(pixels)
    for row in _rows(folder / "clean_windows.csv", ["image", "x", "y", "width", "height"], strips):
        strips[row[0]].clean.append(Rect(*_numbers(row[1:], f"the clean window of {row[0]}")))
    return list(strips.values())


def judge(strips: Sequence[Strip], events: Sequence[Iterable[Rect]]) -> Figures:
    """Counts what events, one list a strip, find of the labelled regions and where else they lie."""
    out = Figures()
    for strip, boxes in zip(strips, events, strict=True):
        boxes = list(boxes)
        inside = np.zeros(strip.grey.shape, bool)
        for b in boxes:
            inside[max(b.y, 0) : b.y + b.height, max(b.x, 0) : b.x + b.width] = True
        flat = inside.ravel()
        out.found += sum(int(flat[r].sum()) >= FOUND_SHARE * len(r) for r in strip.regions)
        out.fired += sum(any(w.holds_middle_of(b) for b in boxes) for w in strip.clean)
        out.regions += len(strip.regions)
        out.windows += len(strip.clean)
        out.inside += int(flat.sum())
        out.area += flat.size
        out.events += len(boxes)
    return out


def halves(strips: Sequence[Strip], events: Sequence[Iterable[Rect]], tuned: bool) -> Figures:
    """The figures of the strips that limits were chosen on, or of the others."""
    which = [i for i, s in enumerate(strips) if s.tuned == tuned]
    return judge([strips[i] for i in which], [events[i] for i in which])


def score(f: Figures) -> float:
    """How good limits are: regions found, less much for what is over the caps, less a little for the area."""
    share = f.inside / f.area
    over = max(0.0, f.fired - FIRED_CAP * f.windows), max(0.0, share - AREA_CAP)
    return f.found - 3 * over[0] - 200 * over[1] - share


def rate(strips: Sequence[Strip], work: Callable[[Strip], object], seconds: float) -> float:
    """MB/s of work over all strips: the median of three turns of at least so many seconds each."""
    size = sum(s.grey.size for s in strips)
    turns = []
    for s in strips:  # sizes the buffers and is not counted
        work(s)
    for _ in range(3):
        passes, began = 0, time.perf_counter()
        while passes == 0 or time.perf_counter() - began < seconds:
            for s in strips:
                work(s)
            passes += 1
        turns.append(passes * size / (time.perf_counter() - began) / 1e6)
    return statistics.median(turns)


def arguments(about: str) -> argparse.ArgumentParser:
    """The flags that every peer has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--data",
        type=Path,
        default=REPOSITORY.parent / "shared" / "data" / "severstal",
        help="folder with strips/, rle.csv and clean_windows.csv",
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        default=REPOSITORY / "models" / "bundles" / "steel-surface-1",
        help="folder of the model bundle",
    )
    parser.add_argument("--seconds", type=float, default=3, help="least length of one of three timed turns")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def keep_memory() -> None:
    """Has glibc keep the memory of pictures for the next ones: paging it in anew takes much of the time."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for parameter in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            mallopt(parameter, 1 << 30)


def main(parser: argparse.ArgumentParser, peer: Callable[[argparse.Namespace], Result]) -> None:
    """Runs a peer and prints its result; what is wrong with the data ends it with one sentence."""
    args = parser.parse_args()
    keep_memory()
    try:
        result = peer(args)
    except DataError as e:
        sys.exit(f"{Path(sys.argv[0]).name}: {e}")
    print(json.dumps(asdict(result)) if args.json else f"{HEADING}\n{row_of(result)}\n\n{result.note}")


NOTHING = "\N{EN DASH}"
HEADING = (
    "| | regions alone, MB/s | with the model, MB/s | regions found | of strips nothing was chosen on "
    "| clean windows fired | area in events | events |\n|---|---|---|---|---|---|---|---|"
)


def row_of(r: Result) -> str:
    """One row of the table under HEADING."""
    cells = [r.name, _mb(r.find_mb_per_second), _mb(r.mb_per_second)]
    if r.figures:
        f, u = r.figures, r.unseen
        cells.append(f"{_share(f.found, f.regions)}")
        cells.append(_share(u.found, u.regions) if u else NOTHING)
        cells += [f"{f.fired} of {f.windows}", f"{f.inside / f.area:.1%}", str(f.events)]
    else:
        cells += ["not measured"] + [NOTHING] * 4
    return f"| {' | '.join(cells)} |"


def _mb(v: float | None) -> str:
    return NOTHING if v is None else f"{v:.0f}" if v >= 10 else f"{v:.1f}"


def _share(n: int, of: int) -> str:
    return f"{n} of {of}" + (f" ({n / of:.1%})" if of else "")


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as e:
        raise DataError(
            f"folder {folder} cannot be read ({e.strerror}); name the folder of strips with --data"
        ) from e


def _rows(path: Path, columns: list[str], strips: dict[str, Strip]) -> list[list[str]]:
    try:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
    except OSError as e:
        raise DataError(f"{path} cannot be read ({e.strerror}); name the folder of strips with --data") from e
    if not rows or rows[0] != columns:
        raise DataError(f"{path} does not begin with the columns {','.join(columns)}")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(columns) or row[0] not in strips:
            raise DataError(
                f"{path}, row {number}: needed are {len(columns)} values, the first a picture of strips/"
            )
    return rows[1:]


def _numbers(fields: list[str], what: str) -> list[int]:
    try:
        return [int(f) for f in fields]
    except ValueError as e:
        raise DataError(f"{what} is not made of whole numbers ({e})") from e


def _connected(rle: str, shape: tuple[int, ...], what: str) -> list[np.ndarray]:
    """The parts, by four neighbours, of a mask of runs that start at 1 and go down the columns."""
    runs = _numbers(rle.split(), what)
    height, width = shape
    mask = np.zeros(height * width, np.uint8)
    if len(runs) % 2:
        raise DataError(f"{what} has {len(runs)} numbers; needed are pairs of a start and a length")
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if start < 1 or start - 1 + length > mask.size:
            raise DataError(
                f"{what} has a run of {length} from {start}; needed are runs within {mask.size} pixels"
            )
        mask[start - 1 : start - 1 + length] = 1
    count, labels = cv2.connectedComponents(
        np.ascontiguousarray(mask.reshape(width, height).T), connectivity=4
    )
    return [np.flatnonzero(labels == i) for i in range(1, count)]
