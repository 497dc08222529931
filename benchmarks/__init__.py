"""Ratios in one run: the replay against the bare loop, against peers, and its memory."""
