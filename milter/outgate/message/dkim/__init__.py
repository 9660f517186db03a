"""DKIM without a key: what is hashed, which headers are covered, how tags are written."""
