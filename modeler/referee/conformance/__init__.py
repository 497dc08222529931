"""Known answers of upstream projects: each kind of case shown to the function that decides.

An adapter takes the case's `Inputs` and returns what the function answered, under the names the
case expects. The functions are those the replay runs; an adapter only translates.
"""
