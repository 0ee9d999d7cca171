"""What the product costs, measured: every figure is a ratio against a floor or a peer of the same run."""
