"""Tests of what docs/deploy.md says: its files, and what it has people start."""
