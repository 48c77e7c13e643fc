"""What can go wrong with images, by what the caller does about it.

ImagesError
├── PrerequisiteMissing   the machine lacks a program or a right: the text says how to get it
├── NoDebianMirror        no apt source of this machine leads to Debian: name a mirror
├── UnknownImage          a name that is not in the catalogue
└── BuildFailed           a program failed: the text ends with what it said last and where its whole log is
"""


class ImagesError(Exception):
    """Images could not be had; the text says why and what to do next."""


class PrerequisiteMissing(ImagesError):
    """A program or a right is missing on this machine."""


class NoDebianMirror(ImagesError):
    """This machine's apt sources name no Debian archive."""


class UnknownImage(ImagesError):
    """The catalogue has no image of that name."""


class BuildFailed(ImagesError):
    """A program that builds, fetches or exports an image failed."""
