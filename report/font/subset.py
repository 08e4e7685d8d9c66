"""Cuts the fonts of the coil report out of Pretendard, which web/ui/node_modules holds after `make setup`.

    python3 -m venv /tmp/subset && /tmp/subset/bin/pip install fonttools==4.60.1
    /tmp/subset/bin/python report/font/subset.py

The same input gives the same bytes. The result goes by another name, since the licence keeps "Pretendard" for
the whole font.
"""

import gzip
import hashlib
import sys
from io import BytesIO
from pathlib import Path

import fontTools
from fontTools import subset
from fontTools.ttLib import TTFont

FONTTOOLS = "4.60.1"
HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "web/ui/node_modules/pretendard/dist/public/static/alternative"  # TrueType outlines
SHA256 = {
    "Regular": "6d0af5258997aec7354a6e340fc2325ba321c410ca48b3af858c8c3d6e92a324",
    "Bold": "c16b88c670d23e83fa1170c954cbc4822d3b8dad3c3cde15d798a94b43d97985",
}
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180)]
SYMBOLS = [ord(c) for c in "–—‘’“”•…→←≤≥≈×÷±²³°µ□●○■▲▼◆✓"]


def hangul(weight: str) -> list[int]:
    """Every syllable where names of people are set, those of KS X 1001 for headings."""
    if weight == "Regular":
        return list(range(0xAC00, 0xD7A4))
    return [ord(bytes([row, cell]).decode("euc_kr")) for row in range(0xB0, 0xC9) for cell in range(0xA1, 0xFF)]


def cut(weight: str) -> bytes:
    source = (SOURCE / f"Pretendard-{weight}.ttf").read_bytes()
    if hashlib.sha256(source).hexdigest() != SHA256[weight]:
        sys.exit(f"Pretendard-{weight}.ttf is not that of pretendard 1.3.9")
    font = TTFont(BytesIO(source), recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, name_IDs=[0, 1, 2, 3, 4, 6, 13, 14])
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=LATIN + SYMBOLS + hangul(weight))
    cutter.subset(font)
    name = {1: "Coilsight Sans", 3: f"Coilsight Sans {weight}", 4: f"Coilsight Sans {weight}", 6: f"CoilsightSans-{weight}"}
    for record in font["name"].names:
        if record.nameID in name:
            record.string = name[record.nameID]
    out = BytesIO()
    font.save(out)
    return out.getvalue()


if fontTools.version != FONTTOOLS:
    sys.exit(f"fonttools is {fontTools.version}; the fonts were cut with {FONTTOOLS}")
for weight in SHA256:
    (HERE / f"{weight.lower()}.ttf.gz").write_bytes(gzip.compress(cut(weight), 9, mtime=0))
