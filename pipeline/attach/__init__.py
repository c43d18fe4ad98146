"""Watching an instance that runs: it tells what rises in it on a socket in its home, and takes orders there."""
