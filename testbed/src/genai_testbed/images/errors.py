"""What can go wrong with images, by what the caller does about it.

TestbedError              printed without a traceback; says what to do next
├── MissingPrerequisite   the machine lacks a program or a right: the text says how to get it
└── ImagesError
    ├── NoDebianMirror    no apt source of this machine leads to Debian: name a mirror
    ├── UnknownImage      a name that is not in the catalogue
    └── ImageBuildFailed  a program failed: the text ends with what it said last and where its whole log is
"""

from genai_testbed.errors import TestbedError


class ImagesError(TestbedError):
    """Images could not be had; the text says why and what to do next."""


class NoDebianMirror(ImagesError):
    """This machine's apt sources name no Debian archive."""


class UnknownImage(ImagesError):
    """The catalogue has no image of that name."""


class ImageBuildFailed(ImagesError):
    """A program that builds, fetches or exports an image failed."""
