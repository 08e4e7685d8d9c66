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

FORMAT = 2
OPSET = 17
# What a catalogue entry must say of its class; the manifest carries it to the pages.
TEXTS = ("description", "cause", "remedy")
# Between providers sums differ in the last bits; a score that is further off is another model.
TOLERANCE = 0.02
# The exported graph runs in the same arithmetic as the trained one.
PARITY = 1e-4


def export(model: torch.nn.Module, path: Path, unknown: bool = False) -> None:
    """Writes the graph; with unknown the model's third output, familiarity, is a part of it."""
    outputs = ["scores", "features", "familiarity"] if unknown else ["scores", "features"]
    sample = torch.zeros((2, 1, pictures.SIDE, pictures.SIDE), dtype=torch.uint8)
    torch.onnx.export(
        model.eval(),
        (sample,),
        str(path),
        input_names=["pixels"],
        output_names=outputs,
        dynamic_axes={name: {0: "batch"} for name in ["pixels", *outputs]},
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


def run(path: Path, pixels: np.ndarray, output: str = "scores") -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run([output], {"pixels": pixels[:, None]})[0]


def check_parity(model: torch.nn.Module, path: Path, pixels: np.ndarray) -> float:
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
    model: torch.nn.Module,
    golden: pictures.Pictures | None,
    notes: list[dict],
    report: dict,
    unknown: dict | None = None,
) -> None:
    """Writes the bundle to args.out. unknown is {"threshold": least familiarity of a known crop}; the model
    then gives scores, features and familiarity, else scores and features."""
    if golden is None:
        raise pictures.PictureError(
            "--golden is missing; a bundle needs golden crops, simulated ones can be shipped"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    export(model, args.out / "model.onnx", unknown is not None)
    report["parity"] = check_parity(model, args.out / "model.onnx", golden.pixels)
    rows = run(args.out / "model.onnx", golden.pixels)
    Image.fromarray(golden.pixels.reshape(-1, pictures.SIDE)).save(args.out / "golden.png", optimize=True)
    scores = [[round(float(s), 5) for s in row] for row in rows]
    known = {"scores": scores}
    if unknown is not None:
        rows = run(args.out / "model.onnx", golden.pixels, "familiarity")
        known["familiarity"] = [round(float(f), 5) for f in rows]
    dump(args.out / "golden.json", known)
    dump(args.out / "report.json", report)
    classes = [describe_class(args.out, i, entry, golden) for i, entry in enumerate(catalogue)]
    names = ["model.onnx", "golden.png", "golden.json", "report.json", *(c["picture"] for c in classes)]
    manifest = {
        "format": FORMAT,
        "name": args.name,
        "version": args.version,
        "created": args.created,
        "classes": classes,
        "input": {"width": pictures.SIDE, "height": pictures.SIDE, "dtype": "uint8", "layout": "NCHW"},
        "preprocessing": "in the graph: 4 * (pixel - mean of the crop) / max(mean of the crop, "
        f"{network.DARK:g})",
        "temperature": model.temperature,
        "opset": OPSET,
        "model": "model.onnx",
        "golden": {"tolerance": TOLERANCE, "crops": "golden.png", "scores": "golden.json"},
    }
    if unknown is not None:
        manifest["unknown"] = {"output": "familiarity", "threshold": float(unknown["threshold"])}
    manifest["evaluation"] = "report.json"
    manifest["training_data"] = notes
    manifest["files"] = [describe(args.out, n) for n in names]
    dump(args.out / "manifest.json", manifest)


def describe_class(folder: Path, index: int, entry: dict, golden: pictures.Pictures) -> dict:
    """The manifest's entry of a class; its picture is the class's first golden crop."""
    for text in TEXTS:
        if not all(entry.get(text, {}).get(language) for language in ("ko", "en")):
            raise pictures.PictureError(
                f"class {entry['id']} lacks its {text} in Korean or English; both are needed"
            )
    crops = golden.pixels[golden.labels == index]
    if len(crops) == 0:
        raise pictures.PictureError(
            f"class {entry['id']} has no golden crop; every class needs one, which is its picture too"
        )
    picture = f"pictures/{entry['id']}.png"
    (folder / "pictures").mkdir(exist_ok=True)
    Image.fromarray(crops[0]).save(folder / picture, optimize=True)
    return {**entry, "threshold": float(entry.get("threshold", 0)), "picture": picture}


def describe(folder: Path, name: str) -> dict:
    data = (folder / name).read_bytes()
    return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
