"""Scores a bundle, as it ships, on class folders.

    python evaluate.py --bundle ../bundles/steel-surface-1 FOLDER
    python evaluate.py --bundle ../bundles/steel-surface-1 --held-out ../../../shared/data/xsdd

With --held-out only the quarter that training never sees is scored: for folders it learned from.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import bundle
import measure
import pictures


def run(args: argparse.Namespace) -> None:
    manifest = json.loads((args.bundle / "manifest.json").read_text())
    classes = [c["id"] for c in manifest["classes"]]
    part = pictures.load(args.folder, classes)
    if args.held_out:
        part = part.select(part.held_out)
    chunks = range(0, len(part.labels), 64)
    scores = np.concatenate(
        [bundle.run(args.bundle / manifest["model"], part.pixels[i : i + 64]) for i in chunks]
    )
    # The scores are calibrated already: a temperature of 1 leaves them.
    print(json.dumps(measure.scores(np.log(scores + 1e-12), part.labels, classes, 1.0), indent=1))


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bundle", type=Path, required=True)
    p.add_argument("--held-out", action="store_true")
    p.add_argument("folder", type=Path)
    return p.parse_args()


if __name__ == "__main__":
    try:
        run(arguments())
    except pictures.PictureError as e:
        sys.exit(f"evaluate: {e}")
