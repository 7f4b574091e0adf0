"""Figures of recorded runs: Table 1, sweeps, spread, cost, and the paper's claims."""
