"""All cryptography: today the secret behind keyed hashes.

May import: `model`, `message`, `policy`; the library cryptography where needed.
"""
