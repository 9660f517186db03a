"""All cryptography: the secret behind keyed hashes, signatures of opt-in tokens.

May import: `model`, `message`, `policy`; the library cryptography where needed.
"""
