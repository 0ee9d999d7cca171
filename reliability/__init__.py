"""Does every incident come to a good end, whatever single thing goes wrong on its way?

One clean run tells which AWS calls a state machine makes: nobody writes the list of cases. Each call is then made to
go wrong in each way (cases.py), in a run of its own on the real stack: the template as the SAM CLI deploys it, the
real handlers in processes of their own, the real SDK with its retries, the real definition on an ASL engine. Faults
are made in front of the local AWS (sandbox/emulator/faults.py).

To add a state machine, write one file like respond.py: a class for each way through it (scenes.Scene), which says how
one run is started and ends, how the world is put back, and what must hold in the end. Then name it in SCENES of
__main__.py.

`python -m reliability` writes results.json and docs/reliability.md; `--only PREFIX` does a part and keeps the rest.
"""
