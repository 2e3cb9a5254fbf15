#!/usr/bin/env bash
# Trains the colorizer on for minutes on a bare machine with a GPU, where PyTorch is installed and nothing can be fetched.
#
#   benchmarks/gpu.sh pack people.tar objects.tar photos.tar   where there is a network: fills .gpu/ (photos, wheels)
#   benchmarks/gpu.sh train                                    there, on a copy of this folder with .gpu/ in it
#   benchmarks/gpu.sh steps                                    there too: tables of train_step.py and cyclegan_step.py
#
# `train` runs the tests of the GPU, then trains for MINUTES (8) from INIT (checkpoints/colorizer.safetensors) and leaves
# averaged weights, figures and the newest preview in OUT (.gpu/out), anew every SLICE minutes (2): what was reached
# stays when the time is cut short. Called again while the folder is still there, it goes on where it stopped.
# STEPS (6000) is the length of the schedule, SETTINGS are --set arguments for it, DEVICE is cuda unless it is being tried.
# `steps` leaves two tables in OUT, each of LIMIT seconds (150) at most: the rows that were done by then.
# TRAIN_STEP and CYCLEGAN_STEP hold other arguments for them.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
WHEELS=(kornia kornia-rs albumentations albucore stringzilla simsimd pydantic pydantic-core annotated-types typing-inspection mlxtend)

pack() {
    mkdir -p .gpu/wheels
    local platform=()
    for glibc in 28 27 24 17; do platform+=(--platform "manylinux_2_${glibc}_x86_64"); done
    for wheel in "${WHEELS[@]}"; do
        "$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: --python-version "${TARGET_PYTHON:-3.12}" \
            --implementation cp "${platform[@]}" --platform manylinux2014_x86_64 --dest .gpu/wheels "$(as_here "$wheel")"
    done
    local room
    room=$(room_for_photos)
    "$PYTHON" benchmarks/pack_photos.py .gpu/photos.tar --megabytes "$room" "$@"
}

# MiB: at most 20, and no more than CARRIED (62) leaves beside the tracked files and the wheels.
room_for_photos() {
    local taken
    taken=$({ git ls-files -z; find .gpu/wheels -type f -print0; } | xargs -0 du -ck | tail -n 1 | cut -f 1)
    echo $((${CARRIED:-62} - taken / 1024 < 20 ? ${CARRIED:-62} - taken / 1024 : 20))
}

as_here() { "$PYTHON" -c 'import importlib.metadata as m, sys; print(f"{sys.argv[1]}=={m.version(sys.argv[1])}")' "$1"; }

train() {
    local began=$SECONDS out=${OUT:-.gpu/out} run=.gpu/run device=${DEVICE:-cuda}
    mkdir -p "$out"
    install_wheels
    [ -e "$run" ] || timeout 90 "$PYTHON" -m pytest -q -m gpu -p no:cacheprovider 2>&1 | tee "$out/pytest.log" || true

    # pretrained=false: the weights of --init are the encoder's, too, and its package is 17 MB.
    local begin=(--data .gpu/photos.tar --init "${INIT:-checkpoints/colorizer.safetensors}" --steps "${STEPS:-6000}"
        --set pretrained=false --set "batch_size=${BATCH_SIZE:-64}") slice=${SLICE:-2}
    local setting; for setting in ${SETTINGS:-}; do begin+=(--set "$setting"); done
    while [ $((SECONDS - began)) -lt $((${MINUTES:-8} * 60)) ]; do
        if [ -e "$run/config.json" ]; then begin=(--resume); fi
        "$PYTHON" -m img2img train colorizer --out "$run" "${begin[@]}" --device "$device" --minutes "$slice" \
            --save-every 1000000 --keep 1 --preview-every 1000000 || break
        deliver "$run" "$out"
        if finished "$run"; then break; fi
    done
}

steps() {
    local out=${OUT:-.gpu/out} limit=${LIMIT:-150} device=${DEVICE:-cuda} arguments
    mkdir -p "$out"
    install_wheels
    read -ra arguments <<<"${TRAIN_STEP:---recipes dcgan colorizer --steps 50 --warm 10 --runs 1}"
    timeout "$limit" "$PYTHON" benchmarks/train_step.py "${arguments[@]}" --device "$device" | tee "$out/train_step.md" || true
    read -ra arguments <<<"${CYCLEGAN_STEP:---batches 1 8 --steps 20 --warm 5}"
    timeout "$limit" "$PYTHON" benchmarks/cyclegan_step.py "${arguments[@]}" --device "$device" | tee "$out/cyclegan_step.md" || true
}

install_wheels() {
    if ! "$PYTHON" -c 'import albumentations, kornia' 2>/dev/null; then
        "$PYTHON" -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target .gpu/site .gpu/wheels/*.whl
        export PYTHONPATH="$PWD/.gpu/site${PYTHONPATH:+:$PYTHONPATH}"
    fi
}

deliver() {
    "$PYTHON" -m img2img export "$1" --overwrite -o "$2/colorizer.onnx" --data "${ABOUT_DATA:-photos packed by benchmarks/gpu.sh}" || true
    cp "$1/stats.jsonl" "$1/config.json" "$2/"
    cp "$(find "$1/previews" -name '*.png' | sort | tail -n 1)" "$2/preview.png"
    if [ -e "$1/health.jsonl" ]; then cp "$1/health.jsonl" "$2/"; fi
}

finished() {
    "$PYTHON" - "$1" <<'PYTHON'
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
last = json.loads((run / "stats.jsonl").read_text().splitlines()[-1])
sys.exit(last["step"] < json.loads((run / "config.json").read_text())["config"]["steps"])
PYTHON
}

case "${1:-}" in
    pack) shift; pack "$@" ;;
    train) train ;;
    steps) steps ;;
    *) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
