"""The campaign: seeded programs of jobs under seeded faults and kills, and the service's own record as the judge.

    python -m tests.campaign --seeds 2000           over gRPC, an engine of our own driving the real provider
    python -m tests.campaign --native-seeds 500     the same with the native provider
    python -m tests.campaign --ups 100              with the real `pulumi up`
    python -m tests.campaign --yaml-ups 30          the same with programs in YAML, and the native provider
    python -m tests.campaign --kills 100            real `pulumi up`s, killed at any instant; --short: short jobs
    python -m tests.campaign --seeds 1 --first 77   one seed again, with its schedule

What is judged, when all faults are over, an `up` has converged and everything is destroyed: every intended run was
accepted exactly once, none ran outside the state, none is left running.

Over gRPC each command is judged too, by what the campaign itself knows (`expectations`). Some seeds have more kinds of
schedule (`kinds`):

* Orphaned runs end before their jobs are wanted. No job adopts one; each job runs again.
* The service deletes the records of ended runs. An end that a wait or a job of the stack has seen still counts; where
  nobody has seen it, onRecordExpired decides. With the native provider such a job runs again by `--replace` only.
* The service lies: its answers do not fit the question, lag behind or lack something (`lies`).
* The settings name another place in some commands. No job runs there without a reason, and none is let go that may go
  on at the first place.
"""
