"""Every notebook runs under nbval, in the smoke gear, one thread a kernel."""

import os

os.environ["FERCOURSE_GEAR"] = "smoke"
os.environ.setdefault("OMP_NUM_THREADS", "1")
