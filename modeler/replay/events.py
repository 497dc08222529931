"""Kinds of events of the loop, in the order `engine` gives them at one instant, latest first."""

ARRIVAL, WAKE, TICK, BUCKET, BOUNDS, TIMEOUT, READY, DEPARTURE, START, RETRY, RELEASE = range(11)
