"""Tests of the split, the reader and the augmentation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

import augment
import fit
import measure
import network
import pictures
import teacher
import train

CLASSES = ["no_defect", "hole", "slag_inclusion"]


@pytest.fixture(autouse=True)
def few_lessons(monkeypatch):
    monkeypatch.setattr(fit, "REPEATS", 2)


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

    def fold_of(p):
        return dict(zip(p.digests, p.fold, strict=True))

    assert fold_of(before) == fold_of(after)
    assert set(before.fold) == set(range(pictures.FOLDS))


def test_folds_are_of_one_size():
    folds = np.bincount([pictures.fold_of(str(i).encode()) for i in range(4000)])
    assert len(folds) == pictures.FOLDS and folds.min() > 900


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

    def crops():
        rng = torch.Generator().manual_seed(5)
        return augment.worsen(augment.warp(x, rng), rng)

    a = crops()
    assert torch.equal(a, crops())
    assert a.shape == x.shape and not torch.equal(a, x.round())
    assert a.min() >= 0 and a.max() <= 255 and torch.equal(a, a.round())


def test_paste_keeps_the_defect_at_the_strips_brightness():
    defects, grounds = torch.full((64, 1, 128, 128), 90.0), torch.full((64, 1, 128, 128), 45.0)
    defects[:, :, 60:68, 60:68] = 10
    out = augment.paste(defects, grounds, torch.Generator().manual_seed(1))
    assert torch.allclose(out[:, :, 0, 0], torch.tensor(45.0), atol=2)  # plain strip all around
    depth = 45 - out.amin(dim=(1, 2, 3))
    assert (depth > augment.FAINTEST * 38).all() and (depth < augment.STRONGEST * 41).all()
    where = out.flatten(1).argmin(dim=1)
    assert len(set(where.tolist())) > 16  # it is not always in the middle


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
    half = np.arange(len(z)) < len(z) // 2
    assert measure.temperature(z * 4, labels, half + 1e-9) == measure.temperature(z[half] * 4, labels[half])


def small_recipe(**changes):
    return fit.Recipe(tuple(CLASSES), (1.0,), **({"steps": 6, "seed": 3, "widths": (4, 4)} | changes))


def test_interrupted_training_goes_on_and_ends_the_same(folders, tmp_path, monkeypatch):
    parts = [pictures.load(folders, CLASSES)]
    monkeypatch.setattr(fit, "KEEP_EVERY", 2)
    whole = fit.fit(parts, small_recipe(), tmp_path / "a", "whole")
    calls, loss = [], functional.cross_entropy

    def pulled(*args, **kwargs):
        if "label_smoothing" in kwargs:  # a step of the network's, not of its teacher's
            calls.append(1)
            if len(calls) == 5:
                raise KeyboardInterrupt
        return loss(*args, **kwargs)

    monkeypatch.setattr(fit.functional, "cross_entropy", pulled)
    with pytest.raises(KeyboardInterrupt):
        fit.fit(parts, small_recipe(), tmp_path / "b", "cut")
    resumed = fit.fit(parts, small_recipe(), tmp_path / "b", "resumed")
    assert len(calls) == 5 + 2  # steps 5 and 6 only
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    fit.fit(parts, small_recipe(), tmp_path / "b", "done")
    assert len(calls) == 7


def test_what_was_trained_is_told_by_recipe_and_pictures(folders):
    part = pictures.load(folders, CLASSES)
    keys = {
        fit.key([part], small_recipe()),
        fit.key([part], small_recipe(seed=4)),
        fit.key([part], small_recipe(steps=7)),
        fit.key([part.select(part.fold != 0)], small_recipe()),
    }
    assert len(keys) == 4 and fit.key([pictures.load(folders, CLASSES)], small_recipe()) in keys


def stripes(n: int, period: int, rng: np.random.Generator) -> np.ndarray:
    """Pictures [n, 128, 128] of noisy stripes."""
    x = np.arange(128) + rng.uniform(0, period, (n, 1))
    rows = 120 + 40 * np.sin(2 * np.pi * x / period)[:, None, :]
    return np.clip(rows + rng.normal(0, 6, (n, 128, 128)), 0, 255).astype(np.uint8)


def test_teacher_tells_textures_apart_and_knows_those_it_was_shown():
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], 24)

    def crops(n, period):
        return torch.from_numpy(stripes(n, period, rng)).unsqueeze(1)

    shown = torch.cat([crops(24, 6), crops(24, 17)])
    part = pictures.Pictures(shown.squeeze(1).numpy(), labels, 0 * labels, ["0"] * 48)
    taught = teacher.Teacher(part, torch.Generator().manual_seed(1))
    rows, labels, kinds = taught.see(shown), torch.from_numpy(labels), torch.zeros(48, dtype=torch.int64)
    # Another kind of picture calls the same textures by the other name.
    taught.learn(rows.repeat(2, 1), torch.cat([labels, 1 - labels]), torch.cat([kinds, kinds + 1]), (2, 2))
    known = taught.features(rows)
    strange = (taught.features(taught.see(crops(8, 48))) @ known.T).amax()
    for want, period in enumerate((6, 17)):
        rows = taught.see(crops(8, period))
        for kind in (0, 1):
            chances = taught.chances(rows, torch.full((8,), kind))
            assert (chances.argmax(dim=1) == want ^ kind).all()
            assert torch.allclose(chances.sum(dim=1), torch.ones(8), atol=1e-5)
        features = taught.features(rows)
        assert features.shape == (8, network.FEATURES)
        assert torch.allclose(features.norm(dim=1), torch.ones(8), atol=1e-5)
        assert ((features @ known.T).amax(dim=1) > strange).all()


def test_lessons_mix_the_teachers_answer_with_the_label(folders):
    part = pictures.load(folders, CLASSES)
    crops, looks, wanted = fit.lessons([part], small_recipe(steps=8), "t")
    n, foreign = 4 * fit.BATCH, fit.BATCH
    assert crops.shape == (n, 1, pictures.SIDE, pictures.SIDE) and crops.dtype == torch.uint8
    assert looks.shape == (n, network.FEATURES) and wanted.shape == (n, len(CLASSES))
    sums = wanted.sum(dim=1)
    assert torch.allclose(sums[:-foreign], torch.ones(n - foreign), atol=1e-4)
    assert (wanted[:-foreign].amax(dim=1) >= 1 - fit.TAUGHT - 1e-6).all()  # the label's part
    assert (sums[-foreign:] == 0).all()  # foreign texture is of no class
    again = fit.lessons([part], small_recipe(steps=8), "t")
    assert all(torch.equal(a, b) for a, b in zip((crops, looks, wanted), again, strict=True))


def test_foreign_textures_are_made_anew_from_the_pictures():
    x = torch.from_numpy(stripes(32, 9, np.random.default_rng(5))).unsqueeze(1).float()
    made = augment.foreign(x, torch.Generator().manual_seed(2))
    assert made.shape == x.shape and made.isfinite().all()
    assert ((made - x).abs().mean(dim=(1, 2, 3)) > 5).all()
    assert (made.mean(dim=(1, 2, 3)) - 120).abs().max() < 40
    assert torch.equal(made, augment.foreign(x, torch.Generator().manual_seed(2)))


def test_window_is_a_part_of_the_picture_or_its_mirror_image():
    x = torch.arange(4 * 36.0).view(4, 1, 6, 6)
    part = augment.window(x, 4, torch.Generator().manual_seed(3))
    assert part.shape == (4, 1, 4, 4)
    for whole, one in zip(x, part, strict=True):
        assert set(one.flatten().tolist()) <= set(whole.flatten().tolist())
        assert one.unique().numel() == 16


def test_whitening_evens_out_what_varies_within_the_classes():
    rng = torch.Generator().manual_seed(6)
    labels = torch.arange(400) % 2
    rows = torch.randn(400, 20, generator=rng, dtype=torch.double)
    rows[:, 0] *= 9
    rows[:, 1] += 4 * labels  # a ninth of the spread of what says nothing
    mean, matrix = teacher.whitening(rows, labels)
    assert torch.allclose(mean, rows.mean(dim=0))

    def parted(x):
        a, b = x[labels == 0], x[labels == 1]
        return (b.mean(dim=0) - a.mean(dim=0)).norm() / a.std(dim=0).max()

    assert parted(rows) < 0.5 and parted((rows - mean) @ matrix) > 2 * parted(rows)


def test_teacher_with_other_weights_is_refused(monkeypatch):
    monkeypatch.setattr(teacher, "DIGEST", "00")
    with pytest.raises(pictures.PictureError, match=r"not the file this recipe was measured with; allowed"):
        teacher.eyes()


def test_job_learns_neither_its_fold_nor_its_class(folders):
    part = pictures.load(folders, CLASSES)
    (got,) = train.Job("j", small_recipe(), 1, "hole").learns([part])
    assert 1 not in got.fold and CLASSES.index("hole") not in got.labels
    assert len(got.labels) == ((part.fold != 1) & (part.labels != CLASSES.index("hole"))).sum()


def test_comparison_trains_the_same_networks_without_one_source(folders, tmp_path):
    part = pictures.load(folders, CLASSES)
    recipe = replace(small_recipe(), shares=(0.6, 0.4))
    folds = [train.Job("fold 1", recipe, 0), train.Job("fold 2", recipe, 1)]
    fewer = train.without(1, folds)
    assert [j.without_fold for j in fewer] == [0, 1] and fewer[0].recipe.shares == (0.6, 0.0)
    learned, nothing = fewer[0].learns([part, part])
    assert len(learned.labels) == (part.fold != 0).sum() and len(nothing.labels) == 0
    net = train.train(fewer[0], [part, part], tmp_path)
    assert 0 <= train.right([net], fewer[:1], part) <= 1


def test_reference_takes_each_defect_class_from_the_first_source_that_has_it(folders, monkeypatch):
    part = pictures.load(folders, CLASSES)
    kinds = np.unique(part.labels)
    first = part.select(part.labels == kinds[0])
    seen = []
    monkeypatch.setattr(measure, "outputs", lambda _, x: seen.append(len(x)) or (x, x.reshape(len(x), -1)))
    train.reference(None, [first, part], -1)
    assert seen == [len(part.labels)]  # not those of the first class twice
    train.reference(None, [first, part], int(kinds[1]))
    elsewhere = min(train.ELSEWHERE, len(first.labels))
    assert seen[1] >= len(part.labels) - (part.labels == kinds[1]).sum() + elsewhere


def test_strange_features_are_less_familiar():
    rng = np.random.default_rng(8)

    def directions(n, axes):
        x = np.abs(rng.normal(0, 1, (n, 6))) * axes
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    known, near, far = (
        directions(n, axes)
        for n, axes in ((40, [1, 1, 1, 0, 0, 0]), (30, [1, 1, 1, 0, 0, 0]), (30, [0, 0, 0, 1, 1, 1]))
    )
    none = np.full((30, 2), -np.inf)
    none[:, 0] = 0  # no evidence more than of one class at 0
    a, b = measure.familiarity(none, near, known), measure.familiarity(none, far, known)
    assert a.min() > 0.7 and b.max() < 0.1 and measure.auroc(a, b) == 1
    sure = measure.familiarity(none + np.array([10, 0]), far, known)
    assert np.allclose(sure - b, 10 * network.EVIDENCE)
    assert abs(measure.auroc(np.ones(5), np.ones(7)) - 0.5) < 1e-9
    assert measure.auroc(np.array([1, 3]), np.array([2, 2])) == 0.5


def test_graph_gives_what_was_measured():
    torch.manual_seed(9)
    net = network.Net(3, (4, 6))
    pixels = np.random.default_rng(2).integers(0, 256, (9, 128, 128), dtype=np.uint8)
    logits, features = measure.outputs(net, pixels)
    model = network.Calibrated(net, 0.6, torch.from_numpy(features[:6].astype(np.float32))).eval()
    with torch.no_grad():
        scores, got, familiarity = model(torch.from_numpy(pixels).unsqueeze(1))
    assert np.allclose(scores.numpy(), measure.softmax(logits / 0.6), atol=1e-5)
    assert np.allclose(got.numpy(), features, atol=1e-5)
    assert np.allclose(familiarity.numpy(), measure.familiarity(logits, features, features[:6]), atol=1e-5)


def test_set_in_keeps_the_strip_around_and_the_defects_sign():
    rng = torch.Generator().manual_seed(1)
    defects, grounds = torch.full((4, 1, 128, 128), 100.0), torch.full((4, 1, 128, 128), 50.0)
    defects[:, :, 60:68, 60:68] = 20
    out = augment.set_in(defects, grounds, rng)
    assert torch.allclose(out[:, :, 0, 0], torch.tensor(50.0), atol=1)
    depth = 50 - out[:, :, 64, 64]
    assert (depth > 0.55 * 39).all() and (depth < 1.15 * 41).all()


def test_grain_leaves_the_brightness():
    x = torch.full((8, 1, 128, 128), 80.0)
    out = augment.roughen(x, torch.Generator().manual_seed(3))
    assert (out.mean(dim=(2, 3)) - 80).abs().max() < 8
    assert out.std(dim=(2, 3)).max() > 1
