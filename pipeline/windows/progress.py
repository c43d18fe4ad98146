"""Tells a windows process that works from one that hangs, by two of its reports. Pure."""

from pipeline.events import WindowsStats


def stalled(previous: WindowsStats, current: WindowsStats) -> bool:
    """Tell whether there was work all the time between the two reports, and none of it was done.

    How far apart the reports must be before that is alarming is the caller's to say. Where the lag is unknown (the
    brokers are away, or the partitions are not assigned yet) there is no verdict: not stalled.
    """
    if not previous.lag or not current.lag:
        return False
    return (previous.processed, previous.poison) == (current.processed, current.poison)
