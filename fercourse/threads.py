"""How torch's threads wait for one another; set before torch is loaded, so this comes first.

Torch splits each operation on a CPU between its threads, and all of them wait for the last. While
they wait they spin, a hundredth of a second and more by OpenMP's own choice. Alone on a machine
that is quickest. Beside another busy program a spinning thread uses up its turn on a processor
that the thread it waits for needs, and every operation costs a turn of the scheduler:
``benchmarks/busy.py`` shows batched augmentation tens of times slower. Threads that spin for some
microseconds only, and then sleep, lose little alone and share well. Results do not change.

Whoever sets one of these variables is left alone. If torch is imported before fercourse, they
reach only the processes started later.
"""

import os

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
