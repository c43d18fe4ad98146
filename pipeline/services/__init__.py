"""The processes that the application runs: what they are, how they are kept alive, and how none is left behind."""
