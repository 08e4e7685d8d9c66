"""Writes a model bundle: ONNX, golden crops, report and the manifest with every file's checksum."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image

import network
import pictures

OPSET = 17
# Between providers sums differ in the last bits; a score that is further off is another model.
TOLERANCE = 0.02
# The exported graph runs in the same arithmetic as the trained one.
PARITY = 1e-4


def export(model: network.Calibrated, path: Path) -> None:
    sample = torch.zeros((2, 1, pictures.SIDE, pictures.SIDE), dtype=torch.uint8)
    torch.onnx.export(
        model.eval(),
        (sample,),
        str(path),
        input_names=["pixels"],
        output_names=["scores", "features"],
        dynamic_axes={"pixels": {0: "batch"}, "scores": {0: "batch"}, "features": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
    graph = onnx.load(str(path))
    onnx.checker.check_model(graph, full_check=True)
    # The exporter leaves paths of the machine in the nodes' notes.
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(graph, str(path))


def run(path: Path, pixels: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {"pixels": pixels[:, None]})[0]


def check_parity(model: network.Calibrated, path: Path, pixels: np.ndarray) -> float:
    """The largest difference of a score between the trained and the exported model; refuses a large one."""
    with torch.no_grad():
        want = model(torch.from_numpy(pixels).unsqueeze(1))[0].numpy()
    worst = float(np.abs(want - run(path, pixels)).max())
    if worst > PARITY:
        raise SystemExit(
            f"{path}: the exported model's scores are off by {worst:.2g}; allowed are {PARITY:g}"
        )
    return worst


def write(
    args: argparse.Namespace,
    catalogue: list[dict],
    model: network.Calibrated,
    golden: pictures.Pictures | None,
    notes: list[dict],
    report: dict,
) -> None:
    if golden is None:
        raise pictures.PictureError(
            "--golden is missing; a bundle needs golden crops, simulated ones can be shipped"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    export(model, args.out / "model.onnx")
    report["parity"] = check_parity(model, args.out / "model.onnx", golden.pixels)
    rows = run(args.out / "model.onnx", golden.pixels)
    Image.fromarray(golden.pixels.reshape(-1, pictures.SIDE)).save(args.out / "golden.png", optimize=True)
    scores = [[round(float(s), 5) for s in row] for row in rows]
    dump(args.out / "golden.json", {"scores": scores})
    dump(args.out / "report.json", report)
    names = ["model.onnx", "golden.png", "golden.json", "report.json"]
    manifest = {
        "format": 1,
        "name": args.name,
        "version": args.version,
        "created": args.created,
        "classes": catalogue,
        "input": {"width": pictures.SIDE, "height": pictures.SIDE, "dtype": "uint8", "layout": "NCHW"},
        "preprocessing": "in the graph: 4 * (pixel - mean of the crop) / max(mean of the crop, "
        f"{network.DARK:g})",
        "temperature": model.temperature,
        "opset": OPSET,
        "model": "model.onnx",
        "golden": {"tolerance": TOLERANCE, "crops": "golden.png", "scores": "golden.json"},
        "training_data": notes,
        "files": [describe(args.out, n) for n in names],
    }
    dump(args.out / "manifest.json", manifest)


def describe(folder: Path, name: str) -> dict:
    data = (folder / name).read_bytes()
    return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
