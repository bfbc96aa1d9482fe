"""Networks that people train: read from torch, their objective, and how far from the best."""
