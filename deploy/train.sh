#!/bin/sh
# Trains a model bundle from class folders of X-SDD (DATASET) and simulated strip, into OUT.
# REVIEWS names the folder classes/ of a coilsight dataset export: what the plant's staff said is learned from
# too, and each network is trained without it as well, so that the report says what it changed.
# MEASURED names the folder for the bundle of the network that left out the first fold, for coilsight evaluate --fold 0/4;
# UNKNOWN_STEPS (0) trains without each class in turn too, so long, and reports what becomes of its pictures.
# STEPS (36000), SEED (1), FOLDS (1, of 4: parts that are measured on), JOBS (2, networks trained at a time), BUNDLE_VERSION (1.0.0)
# and SIMULATED (2, the seed of the simulated pictures) can be set. What is trained is kept: a run that was cut off goes on.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${DATASET:-}" ] || [ ! -d "${DATASET:-}" ]; then
	echo "train: DATASET is '${DATASET:-}'; it names the folder of X-SDD's class folders, as in: make train DATASET=xsdd OUT=bundle" >&2
	exit 2
fi
dataset=$(cd "$DATASET" && pwd)
if [ -n "${REVIEWS:-}" ]; then
	reviews=$(cd "$REVIEWS" && pwd)
fi
out=${OUT:-build/bundle}
# whole prints a path that holds from any folder, and makes the folder it lies in.
whole() { mkdir -p "$(dirname "$1")" && printf '%s/%s\n' "$(cd "$(dirname "$1")" && pwd)" "$(basename "$1")"; }
mkdir -p build/training
out=$(whole "$out")
[ -z "${MEASURED:-}" ] || measured=$(whole "$MEASURED")
work=$PWD/build/training
[ -d "$work/simulated" ] || bin/coilsight dataset simulate --out "$work/simulated" --seed "${SIMULATED:-2}" --count 250 --coils 22 --threshold 0.6
[ -d "$work/golden" ] || bin/coilsight dataset simulate --out "$work/golden" --seed 77 --count 6 --coils 0
cd models/training
set -- --data "xsdd=$dataset*0.65" --data "simulator=$work/simulated*0.35"
[ -z "${REVIEWS:-}" ] || set -- "$@" --data "reviews=$reviews*0.2" --compare-without reviews
[ -z "${MEASURED:-}" ] || set -- "$@" --measured "$measured"
exec .venv/bin/python train.py "$@" \
	--golden "$work/golden" --work "$work/fits" --steps "${STEPS:-36000}" --seed "${SEED:-1}" --folds "${FOLDS:-1}" --jobs "${JOBS:-2}" \
	--unknown-steps "${UNKNOWN_STEPS:-0}" \
	--version "${BUNDLE_VERSION:-1.0.0}" --out "$out"
