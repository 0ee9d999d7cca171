"""Does every incident, and every release, come to a good end, whatever single thing goes wrong on its way?

One clean run tells which AWS calls a state machine makes: nobody writes the list of cases. Each call is then made to
go wrong in each way (cases.py), in a run of its own on the real stack: the template as the SAM CLI deploys it, the
real handlers in processes of their own, the real SDK with its retries, the real definition on an ASL engine. Faults
are made in front of the local AWS (sandbox/emulator/faults.py).

To add a state machine, write one file like respond.py: a scene (scenes.Scene) for each way through it, which says whose
calls go wrong, how one run is started and ends, how the world is put back, and what must hold in the end. Then name the
scenes in stage() of __main__.py. tests/unit/reliability/test_results.py holds that every room and every permission of
the state machines it knows is played: add yours there. A room that is new in `deploy` or `roll_back` is found in the
definition; until it is played, the test wants its name in NOT_PLAYED_YET.

`python -m reliability` writes results.json; `--only 'respond/*/kill'` plays a part and keeps the other rows.
"""
