"""Performance against peers, as ratios in one run on one machine; never a test that fails for being slow."""
