"""docs/configuration.md and the sample file, as `outgate config` prints them."""

from outgate.config.reference import reference, sample


def page() -> str:
    """The reference of all keys."""
    return reference()


def sample_file() -> str:
    """A file with every key, commented out."""
    return sample()
