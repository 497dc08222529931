"""Many rows, made anywhere: tasks, and who performs them.

Reading guide: `task` (one row to make), `drive` (tasks become rows, over any executor, past lost
workers); `executors` and its neighbours run chunks of tasks on threads, processes, Dask or Ray, on
traffic that `spool` keeps once a machine.
"""
