"""What several benchmarks share. `python benchmarks/name.py` finds it as `lib`."""
