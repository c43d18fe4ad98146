"""The terminal application: it launches, supervises and shows the pipeline. ``pipeline`` never imports from here."""
