"""How runs are done: plans, the runner and its engines, one run from config to row."""
