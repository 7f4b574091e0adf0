#!/usr/bin/env bash
# What to do with some minutes of a rented GPU: the most valuable first, nothing finished is lost.
#
#     benchmarks/gpu_day.sh BUDGET_SECONDS OUT [STAGE ...]
#
# Needs Python, this checkout, its dependencies (pyproject.toml) and FER2013 (FERCOURSE_DATA), and no
# network. Leaves in OUT a log, the benchmark table, the ledger's new rows with their histories and
# those weights that a host takes (float16, up to 16 MB). Here afterwards:
#
#     fercourse ledger merge OUT/rows.zip
#     unzip OUT/weights-*.zip && fercourse ledger bundle FILE.safetensors
#
# Without CUDA it rehearses all steps with a tiny net on drawn faces. Choices, as variables:
#   EPOCHS      of a run of Table 1's models at full width; else, from what was measured, so many that
#               two seeds of models 1 and 6 fit
#   SHIP        width and epochs of runs whose weights fit into 16 MB, such as "0.6875 100"
#   JOBS        runs at a time
set -u
budget=$1 out=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
stages=${*:-check measure pair ship rest}
began=$(date +%s)
here=$(cd "$(dirname "$0")/.." && pwd)
work=${WORK:-$(mktemp -d)}
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export FERCOURSE_LEDGER="$work/ledger.jsonl"
exec > >(tee -a "$out/log.txt") 2>&1

left() { echo $((budget - ($(date +%s) - began))); }
least() { echo $(($(left) > $1 + 5 ? $1 : $(left) > 15 ? $(left) - 5 : 10)); }
say() { echo "== $(($(date +%s) - began)) s: $*"; }
fercourse() { python3 -c "from fercourse.cli import main; main()" "$@"; }

cuda=$(python3 -c "import torch; print(int(torch.cuda.is_available()))")
if [ "$cuda" = 1 ]; then
    data=fer2013 tiny=() speed=(--models 1 6 --batches 128 256) faces=28709
    jobs=(--jobs 1 2 4)
else
    say "no CUDA here: a rehearsal, with a tiny net on drawn faces"
    data=synthetic faces=1000 EPOCHS=${EPOCHS:-2} SHIP=${SHIP-0.125 1}
    tiny=(--set model.width=0.0625 --set data.count=200)
    speed=(--models 1 6 --batches 16 --width 0.0625 --seconds 0.2 --no-compile)
    jobs=(--jobs 1 2 --no-compile --preset smoke --count 300)
fi

pack() { # after every step, so that a machine taken away takes little along
    python3 "$here/benchmarks/pack.py" "$FERCOURSE_LEDGER" "$work/runs" "$out"
}

# table1 MODELS SEEDS SETTING...: those runs that are not done yet, in what time is left
table1() {
    local models=$1 seeds=$2 seconds=$(($(left) - 15)) settings=()
    for setting in "${@:3}"; do settings+=(--set "$setting"); done
    [ "$seconds" -gt 20 ] || return 0
    say "Table 1, models $models, $seeds seed(s), ${*:3} (${seconds} s)"
    fercourse run table1 --data "$data" --preset course --models "$models" --seeds "$seeds" \
        --jobs "${JOBS:-1}" --budget "${seconds}s" --out "$work/runs" "${tiny[@]}" "${settings[@]}"
    pack
}

# The epochs that fit two seeds of models 1 and 6, and a fifth of the time for all else.
schedule() {
    if [ ! -f "$work/epochs" ]; then
        python3 - "$out/throughput.json" "$(left)" "$faces" "${EPOCHS:-}" >"$work/epochs" <<'PY'
import json, sys
table, left, faces, chosen = sys.argv[1:]
if not chosen:
    rows = json.load(open(table))["rows"]
    rate = min(r["images_per_second"] for r in rows if r["batch"] == 128 and r["way"] == "recorded")
    chosen = max(5, int(0.8 * float(left) * rate / int(faces) / 4))
print(f"train.epochs={chosen}")
PY
    fi
    cat "$work/epochs"
}

for stage in $stages; do
    case $stage in
    check)
        python3 - <<'PY'
import platform, torch
print(f"Python {platform.python_version()}, torch {torch.__version__}, CUDA {torch.version.cuda}")
for k in range(torch.cuda.device_count()):
    card = torch.cuda.get_device_properties(k)
    print(f"{card.name}, {card.total_memory / 2**30:.0f} GiB, {card.multi_processor_count} SMs")
PY
        say "tests of the GPU"
        timeout 240 python3 -m pytest -o addopts= -q -p no:cacheprovider "$here/tests/test_gpu.py" ;;
    measure)
        say "images a second"
        timeout "$(least 90)" python3 "$here/benchmarks/throughput.py" "${speed[@]}" \
            --json "$out/throughput.json"
        say "runs at a time"
        timeout "$(least 75)" python3 "$here/benchmarks/runs_per_hour.py" "${jobs[@]}" --epochs 3 \
            | tee "$out/runs_per_hour.txt" ;;
    pair) table1 1,6 1 "$(schedule)" ;;
    ship)
        if [ -n "${SHIP:-}" ]; then
            table1 1,6 1 "train.epochs=${SHIP#* }" "model.width=${SHIP% *}"
        fi ;;
    rest)
        table1 1,6 2 "$(schedule)"
        table1 1,2,3,4,5,6 1 "$(schedule)"
        table1 1,6 10 "$(schedule)" ;;
    *) echo "There is no stage $stage; use check, measure, pair, ship, rest." && exit 2 ;;
    esac
done
say "done; in $out: $(ls "$out" | tr '\n' ' ')"
