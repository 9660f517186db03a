"""TOML in, frozen typed settings out; every problem at once.

    settings   the whole tree: policy's part and the service's
    reader     one file -> Settings, or a ConfigError with all its problems
    checks     what values say together: references, ties, impossible combinations
    reference  the reference page and the commented sample, generated from the tree

May import: `model`, `message`, `policy`. Knows files, no network.
"""
