"""Programs written for the openai package, for type checkers only."""
