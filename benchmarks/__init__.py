"""Performance as ratios against a floor of the same run: `make bench`."""
