"""Kinds of events of the loop, in the order `engine` gives them at one instant, latest first."""

ARRIVAL, WAKE, TICK, BUCKET, BOUNDS, TIMEOUT, READY, MACHINE, DEPARTURE = range(9)
START, RETRY, RELEASE = range(9, 12)
