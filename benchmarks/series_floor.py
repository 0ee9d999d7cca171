"""The measured child of evaluator.series: M of N over many alarms in NumPy, which knows no missing data, no reasons.

series_floor.py ALARMS POINTS M N ROUNDS THRESHOLD      prints JSON: seconds per round, and states that were ALARM
"""

from __future__ import annotations

import json
import random
import sys
import time

import numpy as np  # type: ignore[import-not-found,unused-ignore]


def main(alarms: int, points: int, m: int, n: int, threshold: float, rounds: int) -> None:  # noqa: PLR0917 - argv
    dice = random.Random(1)  # noqa: S311 - the same series as in evaluator.py
    values = np.array([[dice.random() for _ in range(points)] for _ in range(alarms)])
    seconds, found = [], 0
    for _ in range(rounds):
        began = time.process_time()
        sums = np.cumsum(values > threshold, axis=1, dtype=np.int32)
        windows = sums[:, n:] - sums[:, :-n]
        found = int((windows >= m).sum())
        seconds.append(time.process_time() - began)
    print(json.dumps({"seconds": seconds, "alarm": found}))


alarms, points, m, n, rounds = (int(a) for a in sys.argv[1:6])
main(alarms, points, m, n, float(sys.argv[6]), rounds)
