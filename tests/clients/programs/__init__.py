"""Programs for the openai package that run with this one too."""
