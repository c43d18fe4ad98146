"""Colours: the theme, and style sheets that name nothing but its variables."""
