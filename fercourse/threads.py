"""How many threads torch computes with, and how they wait for one another.

How they wait is set before torch is loaded, so this module comes first.

Torch splits each operation on a CPU between its threads, and all of them wait for the last. While
they wait they spin, for 300,000 turns of a loop or 200 ms by OpenMP's own choice. Alone on a
machine that is quickest. Beside another busy program a spinning thread uses up its turn on a
processor that the thread it waits for needs, and every operation may cost a turn of the scheduler:
``benchmarks/busy.py`` shows batched augmentation three to five times slower, and on another machine
it was 57 times. Threads that spin for some microseconds only, and then sleep, lose little alone and
share well. How they wait changes no result.

Whoever sets one of these variables is left alone. If torch is imported before fercourse, they
reach only the processes started later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from fercourse.config import RunConfig

WAIT = {
    # Turns of a loop; 1000 is what GNU's OpenMP (Linux) takes itself where it knows of too few
    # processors, instead of 300,000.
    "GOMP_SPINCOUNT": "1000",
    # Milliseconds; LLVM's and Intel's OpenMP (macOS, Windows) take 200.
    "KMP_BLOCKTIME": "0",
}
"""Environment variables, by the OpenMP library that reads them."""

for name, value in WAIT.items():
    os.environ.setdefault(name, value)

SMALL = 2500
"""Width squared x faces x pixels of a training step below which one thread does it: a second gains
up to a quarter alone, and beside a busy process it makes the step three times slower, for most of
the time is spent waiting (``benchmarks/busy.py``). Preset ``smoke`` has 1152, ``cpu`` 41472."""


def count(config: RunConfig, device: torch.device) -> int:
    """How many threads compute a training step of this run: 1 where the step is small."""
    import torch

    work = config.model.width**2 * config.train.batch_size * config.data.size**2
    return 1 if device.type == "cpu" and work < SMALL else torch.get_num_threads()


@contextmanager
def suited(config: RunConfig, device: torch.device) -> Iterator[None]:
    """Compute with :func:`count` threads inside the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count(config, device))
    try:
        yield
    finally:
        torch.set_num_threads(before)
