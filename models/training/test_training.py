"""Tests of the split, the reader and the augmentation."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

import augment
import measure
import network
import pictures

CLASSES = ["no_defect", "hole", "slag_inclusion"]


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(3)
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for i in range(20):
            pixels = rng.integers(0, 255, (128, 128), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_split_follows_the_bytes_not_the_name(folders):
    before = pictures.load(folders, CLASSES)
    for i, path in enumerate(sorted((folders / "hole").iterdir())):
        path.rename(path.with_name(f"renamed-{99 - i}.png"))
    after = pictures.load(folders, CLASSES)

    def held(p):
        return {hashlib.sha256(x.tobytes()).hexdigest() for x in p.pixels[p.held_out]}

    assert held(before) == held(after)
    assert 0 < before.held_out.sum() < len(before.held_out)


def test_split_holds_out_a_quarter():
    held = [pictures.is_held_out(str(i).encode()) for i in range(4000)]
    assert 0.22 < np.mean(held) < 0.28


def test_copies_are_read_once(folders):
    n = len(pictures.load(folders, CLASSES).labels)
    original = next((folders / "hole").iterdir())
    (folders / "slag_inclusion" / "copy.png").write_bytes(original.read_bytes())
    assert len(pictures.load(folders, CLASSES).labels) == n


def test_unreadable_picture_is_named(folders):
    (folders / "hole" / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(pictures.PictureError, match=r"broken\.png is not a readable picture.*allowed"):
        pictures.load(folders, CLASSES)


def test_truncated_picture_is_refused(folders):
    path = folders / "hole" / "0.png"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(pictures.PictureError, match=r"0\.png"):
        pictures.load(folders, CLASSES)


def test_unknown_class_folder_is_refused(folders):
    (folders / "dents").mkdir()
    with pytest.raises(pictures.PictureError, match=r"dents names no class; allowed are no_defect"):
        pictures.load(folders, CLASSES)


def test_augmentation_gives_grey_levels_and_repeats():
    x = torch.rand(8, 1, 128, 128) * 255
    a = augment.augment(x, torch.Generator().manual_seed(5))
    b = augment.augment(x, torch.Generator().manual_seed(5))
    assert torch.equal(a, b)
    assert a.shape == (8, 1, augment.WINDOW, augment.WINDOW)
    assert a.min() >= 0 and a.max() <= 255 and torch.equal(a, a.round())


def test_paste_keeps_the_middle_of_the_defect():
    defects, grounds = torch.full((4, 1, 128, 128), 90.0), torch.full((4, 1, 128, 128), 90.0)
    defects[:, :, 60:68, 60:68] = 10
    out = augment.paste(defects, grounds, torch.Generator().manual_seed(1))
    assert (out[:, :, 62:66, 62:66] < 20).all()
    assert torch.allclose(out[:, :, 64, 0], torch.tensor(90.0), atol=2)


def test_verdict_ignores_the_exposure():
    torch.manual_seed(2)
    net = network.Net(3).eval()
    x = torch.randint(40, 120, (4, 1, 128, 128))
    with torch.no_grad():
        assert torch.allclose(net(x)[0], net(2 * x)[0], atol=1e-4)


def test_temperature_softens_overconfidence():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 600)
    z = rng.normal(0, 1, (600, 3))
    z[np.arange(600), labels] += 1.5
    t = measure.temperature(z * 4, labels)
    assert 2.5 < t <= 5
    assert measure.calibration_error(measure.softmax(z * 4 / t), labels) < 0.05
