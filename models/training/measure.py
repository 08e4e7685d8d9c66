"""Figures of a classifier."""

import numpy as np
import torch

import network


def outputs(net: network.Net, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and features of pictures."""
    net.eval()
    logits, features = [np.zeros((0, net.head.out_features))], [np.zeros((0, network.FEATURES))]
    with torch.no_grad():
        for i in range(0, len(pixels), 64):
            x = torch.from_numpy(pixels[i : i + 64]).unsqueeze(1)
            z, f = net(x)
            logits.append(z.numpy())
            features.append(f.numpy())
    return np.concatenate(logits), np.concatenate(features)


def familiarity(logits: np.ndarray, features: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Mean cosine to the nearest crops that were learned from, and the evidence for any class at all."""
    near = features @ reference.T
    nearest = np.partition(near, -network.NEIGHBOURS, axis=1)[:, -network.NEIGHBOURS :].mean(axis=1)
    return nearest + network.EVIDENCE * np.logaddexp.reduce(logits, axis=1)


def auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """The chance that a known picture scores higher than an unknown one (Mann-Whitney)."""
    every = np.concatenate((known, unknown))
    order = np.argsort(every, kind="stable")
    ranks = np.empty(len(every))
    ranks[order] = np.arange(1, len(every) + 1)
    for v in np.unique(every):  # ties share their rank
        same = every == v
        ranks[same] = ranks[same].mean()
    n = len(known)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(unknown)))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def temperature(z: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The temperature under which the true classes are most likely."""
    grid = np.exp(np.linspace(np.log(0.2), np.log(5), 161))
    rows = np.arange(len(labels))
    loss = [np.average(-np.log(softmax(z / t)[rows, labels] + 1e-12), weights=weights) for t in grid]
    return round(float(grid[int(np.argmin(loss))]), 4)


def calibration_error(p: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: confidence against share of right verdicts, in equal-width bins."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[which == b].mean() - right[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def scores(z: np.ndarray, labels: np.ndarray, classes: list[str], t: float) -> dict:
    p = softmax(z / t)
    got = p.argmax(axis=1)
    f1, recall, confused = [], {}, {}
    for c in np.unique(labels):
        tp = int(((got == c) & (labels == c)).sum())
        wrong = int(((got == c) != (labels == c)).sum())
        f1.append(2 * tp / (2 * tp + wrong) if tp else 0.0)
        recall[classes[c]] = round(tp / int((labels == c).sum()), 4)
    for a, b in zip(labels, got, strict=True):
        if a != b:
            key = f"{classes[a]} as {classes[b]}"
            confused[key] = confused.get(key, 0) + 1
    return {
        "pictures": len(labels),
        "accuracy": round(float((got == labels).mean()), 4),
        "macro_f1": round(float(np.mean(f1)), 4),
        "calibration_error": round(calibration_error(p, labels), 4),
        "recall": recall,
        "confused": dict(sorted(confused.items(), key=lambda e: -e[1])),
    }


def hardened(pixels: np.ndarray, seed: int = 7) -> dict[str, np.ndarray]:
    """The pictures as a worse camera would give them."""
    rng = np.random.default_rng(seed)
    x = pixels.astype(np.float32)

    def grey(v):
        return np.clip(np.rint(v), 0, 255).astype(np.uint8)

    padded = np.pad(x, ((0, 0), (2, 2), (2, 2)), mode="reflect")
    h, w = x.shape[1:]
    box = sum(padded[:, i : i + h, j : j + w] for i in range(5) for j in range(5)) / 25
    return {
        "noise_sigma_12": grey(x + rng.normal(0, 12, x.shape)),
        "blur_5x5": grey(box),
        "gain_0.5": grey(x * 0.5),
        "gain_1.4": grey(x * 1.4),
        "contrast_0.6": grey(x.mean(axis=(1, 2), keepdims=True) * 0.4 + x * 0.6),
    }
