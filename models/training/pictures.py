"""Labelled pictures on disk: folders named after classes, split by the hash of each file's bytes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

SIDE = 128
SUFFIXES = {".jpg", ".jpeg", ".png"}


class PictureError(Exception):
    """A picture or folder that cannot be learned from; the message names it and says what is allowed."""


FOLDS = 4


@dataclass
class Pictures:
    pixels: np.ndarray  # uint8 [n, SIDE, SIDE]
    labels: np.ndarray  # int64 [n], index into the class list
    fold: np.ndarray  # int64 [n], 0 to FOLDS-1, by the hash of the file's bytes
    digests: list[str]  # SHA-256 of each file's bytes

    def select(self, mask: np.ndarray) -> "Pictures":
        digests = [d for d, m in zip(self.digests, mask, strict=True) if m]
        return Pictures(self.pixels[mask], self.labels[mask], self.fold[mask], digests)


def fold_of(data: bytes) -> int:
    """Decided by content alone: copies and new names change nothing."""
    return hashlib.sha256(data).digest()[0] % FOLDS


def read_picture(path: Path) -> np.ndarray:
    """The picture in grey, scaled to SIDE x SIDE where it has another size."""
    try:
        with Image.open(path) as image:
            grey = image.convert("L")
            if grey.size != (SIDE, SIDE):
                grey = grey.resize((SIDE, SIDE), Image.Resampling.BOX)
            return np.asarray(grey, dtype=np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError) as e:
        raise PictureError(f"{path} is not a readable picture ({e}); allowed are JPEG and PNG") from e


def load(root: Path, classes: list[str]) -> Pictures:
    """Reads root/<class>/*. A folder that names no class is refused; a class without a folder is not."""
    if not root.is_dir():
        raise PictureError(f"{root} is not a folder; allowed is a folder of class folders")
    pixels, labels, fold, digests = [], [], [], []
    seen: set[str] = set()
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        if folder.name not in classes:
            raise PictureError(f"{folder} names no class; allowed are {', '.join(classes)}")
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in SUFFIXES:
                continue
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            pixels.append(read_picture(path))
            labels.append(classes.index(folder.name))
            fold.append(fold_of(data))
            digests.append(digest)
    if not pixels:
        raise PictureError(f"{root} holds no picture; allowed are JPEG and PNG in class folders")
    return Pictures(np.stack(pixels), np.array(labels), np.array(fold), digests)
