"""Selfright: serverless applications on AWS that right themselves."""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # A cold start makes 100,000 objects, all of which stay: looking for garbage among them is a tenth of its CPU.
    # edge/room.py switches it on again after the first event.
    gc.disable()
