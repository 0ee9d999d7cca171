"""Property tests look for wrong answers, not slow ones: how long an example takes is the machine's business."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "selfright", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=False
)
settings.load_profile("selfright")
