"""Selfright: serverless applications on AWS that right themselves."""
