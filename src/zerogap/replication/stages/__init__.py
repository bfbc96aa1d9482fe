"""The stages of the replication, one module each: files in, files out.

generate → (train, solve-dual) → certify → verify → collect → tables, figures, notebooks, paper;
beside them depth-study → depth-table, search → search-table and audits → audits-table. A stage
reads the files of the stages before it and nothing else (site, when asked for, the repository too),
and every file is written whole or not at all. A module here is a stage: its function `run` takes
what the command line gives, and returns how many things it made.
"""
