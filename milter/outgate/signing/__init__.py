"""All cryptography: the secret behind keyed hashes, opt-in tokens, DKIM and its keys.

May import: `model`, `message`, `policy`; the library cryptography where needed.
"""
