"""What a release adds to DORA's metrics, as EMF: for the service, and for its workload and environment."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.metrics import MetricUnit

from selfright.edge.room import metrics


def measure_release(figures: Mapping[str, float], workload: str, environment: str) -> None:
    """Names that end in Time are seconds, all others count."""
    if not figures:
        return
    for name, value in figures.items():
        unit = MetricUnit.Seconds if name.endswith("Time") else MetricUnit.Count
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.add_dimensions(service=str(metrics.service), workload=workload, environment=environment)
    metrics.flush_metrics()
