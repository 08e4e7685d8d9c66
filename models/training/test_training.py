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
import train

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
    a = augment.augment(x, torch.Generator().manual_seed(5))
    b = augment.augment(x, torch.Generator().manual_seed(5))
    assert torch.equal(a, b)
    assert a.shape == (8, 1, augment.WINDOW, augment.WINDOW)
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


def test_teacher_is_trained_first_and_its_answer_mixes_with_the_label(folders, tmp_path):
    part = pictures.load(folders, CLASSES)
    taught = small_recipe(teacher=(4, 8), teacher_steps=4)
    net = fit.fit([part], taught, tmp_path, "taught")
    alone = small_recipe(widths=(4, 8), steps=4)
    kept = {p.stem for p in tmp_path.glob("*.pt")}
    assert kept == {fit.key([part], taught), fit.key([part], alone)}
    assert net.head.in_features == 2 * taught.widths[-1]
    teacher = fit.fit([part], alone, tmp_path, "kept")
    x, y = torch.rand(2, 1, 96, 96) * 255, functional.one_hot(torch.tensor([0, 1]), len(CLASSES)).float()
    mixed = fit.target(x, y, teacher)
    assert torch.allclose(mixed.sum(dim=1), torch.ones(2), atol=1e-5)
    assert (mixed >= (1 - fit.TAUGHT) * y - 1e-6).all() and not torch.allclose(mixed, y)
    assert torch.equal(fit.target(x, y, None), y)


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
    known = np.abs(rng.normal(0, 1, (40, 6))) * [1, 1, 1, 0, 0, 0]
    near = np.abs(rng.normal(0, 1, (30, 6))) * [1, 1, 1, 0, 0, 0]
    far = np.abs(rng.normal(0, 1, (30, 6))) * [0, 0, 0, 1, 1, 1]
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
