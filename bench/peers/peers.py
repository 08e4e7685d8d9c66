"""Runs Coilsight and its peers on the same strips, one after the other on core 0, and prints one table."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import strips
from strips import DataError, Figures, Rect, Result

PASSES = 5  # over all strips of `coilsight inspect`; the first is not counted
CORE = ["taskset", "-c", "0"]
HERE = Path(__file__).resolve().parent


def output(command: list[str]) -> str:
    """What a command prints, run on core 0; where it fails, the last line of its errors is the reason."""
    try:
        done = subprocess.run([*CORE, *command], capture_output=True, text=True, check=True)
    except OSError as e:
        raise DataError(f"{CORE[0]} cannot be run ({e.strerror}); it is part of util-linux") from e
    except subprocess.CalledProcessError as e:
        last = (e.stderr.strip() or f"exit code {e.returncode}").splitlines()[-1]
        raise DataError(f"{Path(command[0]).name} failed: {last}") from e
    return done.stdout


def coilsight(program: Path, data: Path, bundle: Path) -> Result:
    """Coilsight's figures, and that the judging here gives those that `coilsight evaluate` gives.

    Regions alone: the detector with its flat field, of `coilsight bench`. With the model: the time that
    `coilsight inspect` says it looked at each picture, without reading it.
    """
    if not program.is_file():
        raise DataError(f"{program} is not there; run make, or name the program with --coilsight")
    every = strips.read_strips(data)
    paths = [str(data / "strips" / s.name) for s in every]
    with tempfile.TemporaryDirectory() as record:
        config = Path(record) / "coilsight.yaml"
        config.write_text(f"classifier:\n  bundle: {json.dumps(str(bundle.resolve()))}\n")
        flags = ["--config", str(config), "--data", record]
        judged = json.loads(output([str(program), "evaluate", "--json", *flags, str(data)]))["strips"][0]
        looks = output([str(program), "inspect", "--json", *flags, *paths * PASSES]).splitlines()
        measured = json.loads(
            output([str(program), "bench", "--quick", "--json", *flags, "--strips", str(data / "strips")])
        )["detect"]
    pictures = [json.loads(line) for line in looks]
    n = len(every)
    events = [
        [Rect(*(e[k] for k in ("x", "y", "width", "height"))) for e in p["events"]] for p in pictures[:n]
    ]
    took = [sum(p["milliseconds"] for p in pictures[i * n : (i + 1) * n]) / 1e3 for i in range(1, PASSES)]
    figures = strips.judge(every, events)
    theirs = figures_of(judged["kept"])
    if figures != theirs or judged["specks"] != sum(s.specks for s in every):
        raise DataError(
            f"the judging here gives {figures}, coilsight evaluate {theirs}: one of the two is wrong"
        )
    alone = figures_of(judged["detector"])
    note = (
        f"Coilsight: before the model rejects {alone.found} of {alone.regions} regions in {alone.events} "
        f"rectangles, {alone.fired} of {alone.windows} clean windows, {alone.inside / alone.area:.1%} of the "
        "area. Its rectangles, judged by the code here, have the figures of coilsight evaluate."
    )
    speed = sum(s.grey.size for s in every) / statistics.median(took) / 1e6
    unseen = strips.halves(every, events, tuned=False)
    return Result("Coilsight", measured["gbps_per_core"] * 1e3, speed, figures, unseen, note)


def figures_of(f: dict) -> Figures:
    """One set of figures out of the report of `coilsight evaluate`."""
    found, fired, area = f["found"], f["clean_windows_fired"], f["area"]
    return Figures(found["n"], found["of"], fired["n"], fired["of"], area["n"], area["of"], f["events"])


def script(python: Path, name: str, args: argparse.Namespace) -> Result:
    """What a script of this folder prints."""
    if not python.exists():
        raise DataError(f"{name} is left out: there is no Python at {python}")
    flags = ["--data", args.data, "--bundle", args.bundle, "--seconds", args.seconds, "--json"]
    said = json.loads(output([str(python), str(HERE / name), *map(str, flags)]))
    for key in ("figures", "unseen"):
        said[key] = said[key] and Figures(**said[key])
    return Result(**said)


def main() -> None:
    """Prints the table, the notes, and what could not be measured."""
    parser = strips.arguments(__doc__ or "")
    parser.add_argument("--coilsight", type=Path, default=strips.REPOSITORY / "bin" / "coilsight")
    parser.add_argument(
        "--anomalib",
        type=Path,
        default=HERE / ".venv-anomalib" / "bin" / "python",
        help="the Python that requirements-anomalib.txt is installed for",
    )
    args = parser.parse_args()
    load = os.getloadavg()[0]
    me = Path(sys.executable)
    results, failed = [], []
    for run in (
        lambda: coilsight(args.coilsight, args.data, args.bundle),
        lambda: script(me, "opencv_onnx.py", args),
        lambda: script(me, "yolo_nano.py", args),
        lambda: script(args.anomalib, "anomaly.py", args),
    ):
        try:
            results.append(run())
        except DataError as e:
            failed.append(str(e))
            print(f"peers.py: {e}", file=sys.stderr)
    if args.json:
        rows = [strips.asdict(r) for r in results]
        print(json.dumps({"load_before": load, "results": rows, "failed": failed}))
    else:
        notes = "\n".join(f"- {n}" for n in [r.note for r in results] + failed)
        print("\n".join([strips.HEADING, *map(strips.row_of, results)]) + f"\n\n{notes}")
        print(f"- One core each, one after the other; load before the run: {load:.2f}.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if not shutil.which(CORE[0]):
        sys.exit(f"peers.py: {CORE[0]} is not installed; it is part of util-linux")
    main()
