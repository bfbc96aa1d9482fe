"""Pages of a run that a browser shows without a network, one module per kind."""
