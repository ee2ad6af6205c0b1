"""Holds the documentation true: its commands run, its links and pictures exist."""
