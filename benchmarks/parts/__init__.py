"""What bench.py measures, a file a section of docs/performance.md."""
