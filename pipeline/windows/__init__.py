"""Tumbling windows over the trade topic: ``python -m pipeline.windows`` (Quix Streams)."""
