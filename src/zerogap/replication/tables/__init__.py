"""The tables of the replication, one module each; frames.py reads and writes them all."""
