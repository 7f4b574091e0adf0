#!/usr/bin/env bash
# What to do with some minutes of a rented GPU: the most valuable first, nothing finished is lost.
#
#     benchmarks/gpu_day.sh BUDGET_SECONDS OUT [STAGE ...]
#
# The stages and what they leave are told in gpu_day.py, which this starts with the checkout's Python,
# where there is one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" -u "$here/gpu_day.py" "$@"
