"""Tests of the export and of the bundle's manifest."""

import argparse
import hashlib
import json

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

import bundle
import pictures

CLASSES = ["no_defect", "hole", "slag_inclusion"]


class Tiny(nn.Module):
    """A model with the outputs that a bundle needs and few weights."""

    temperature = 0.7

    def __init__(self, familiar: bool):
        super().__init__()
        self.head = nn.Linear(16, len(CLASSES))
        self.familiar = familiar

    def forward(self, pixels):
        x = pixels.to(torch.float32) / 255
        features = nn.functional.avg_pool2d(x, 32).flatten(1)
        scores = torch.softmax(self.head(features), dim=1)
        return (scores, features, features.mean(dim=1)) if self.familiar else (scores, features)


@pytest.fixture
def golden():
    pixels = np.random.default_rng(3).integers(0, 255, (6, 128, 128), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2])
    return pictures.Pictures(pixels, labels, np.zeros(6, dtype=np.int64), [""] * 6)


def catalogue():
    text = {"ko": "글", "en": "text"}
    return [
        {"id": c, "ko": c, "en": c, "severity": 1, "description": text, "cause": text, "remedy": text}
        for c in CLASSES
    ]


def write(out, golden, model, entries=None, unknown=None):
    args = argparse.Namespace(out=out, name="t", version="1", created="2026-01-02")
    notes = [{"name": "n", "source": "s", "terms": "t", "pictures": 1}]
    bundle.write(args, entries or catalogue(), model, golden, notes, {}, unknown)
    return json.loads((out / "manifest.json").read_text())


def test_bundle_holds_what_its_manifest_says(golden, tmp_path):
    manifest = write(tmp_path, golden, Tiny(False))
    for f in manifest["files"]:
        data = (tmp_path / f["path"]).read_bytes()
        assert len(data) == f["bytes"] and hashlib.sha256(data).hexdigest() == f["sha256"]
    listed = {f["path"] for f in manifest["files"]}
    assert listed >= {c["picture"] for c in manifest["classes"]} | {manifest["evaluation"]}
    rows = json.loads((tmp_path / "golden.json").read_text())["scores"]
    assert len(rows) == len(golden.labels) and all(abs(sum(r) - 1) < 1e-3 for r in rows)
    assert "unknown" not in manifest


def test_picture_of_a_class_is_its_own_golden_crop(golden, tmp_path):
    manifest = write(tmp_path, golden, Tiny(False))
    for i, c in enumerate(manifest["classes"]):
        assert np.array_equal(pictures.read_picture(tmp_path / c["picture"]), golden.pixels[i])


def test_unknown_adds_familiarity_to_graph_and_manifest(golden, tmp_path):
    manifest = write(tmp_path, golden, Tiny(True), unknown={"threshold": 0.4})
    assert manifest["unknown"] == {"output": "familiarity", "threshold": 0.4}
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [o.name for o in session.get_outputs()] == ["scores", "features", "familiarity"]
    known = json.loads((tmp_path / "golden.json").read_text())["familiarity"]
    assert np.allclose(known, bundle.run(tmp_path / "model.onnx", golden.pixels, "familiarity"), atol=1e-5)
    assert session.run(["familiarity"], {"pixels": golden.pixels[:, None]})[0].shape == (6,)


def test_threshold_of_a_class_reaches_the_manifest(golden, tmp_path):
    entries = catalogue()
    entries[1]["threshold"] = 0.35
    manifest = write(tmp_path, golden, Tiny(False), entries)
    assert [c["threshold"] for c in manifest["classes"]] == [0, 0.35, 0]


def test_class_without_its_texts_is_refused(golden, tmp_path):
    entries = catalogue()
    entries[1]["remedy"] = {"ko": "글"}
    with pytest.raises(pictures.PictureError, match="hole lacks its remedy in Korean or English"):
        write(tmp_path, golden, Tiny(False), entries)


def test_class_without_a_golden_crop_is_refused(golden, tmp_path):
    with pytest.raises(pictures.PictureError, match="slag_inclusion has no golden crop"):
        write(tmp_path, golden.select(golden.labels < 2), Tiny(False))


def test_exported_model_takes_any_batch_of_uint8(tmp_path):
    torch.manual_seed(6)
    model = Tiny(False).eval()
    path = tmp_path / "model.onnx"
    bundle.export(model, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n in (1, 5):
        x = np.random.default_rng(n).integers(0, 256, (n, 1, 128, 128), dtype=np.uint8)
        scores, features = session.run(None, {"pixels": x})
        with torch.no_grad():
            want = model(torch.from_numpy(x))[0].numpy()
        assert np.abs(scores - want).max() < bundle.PARITY
        assert features.shape == (n, 16)
    assert b"/" + b"home" not in path.read_bytes() and str(tmp_path).encode() not in path.read_bytes()
