"""Images for the test bed: the shipped Dockerfiles built here, and stand-ins for public images, as archives on disk."""

from genai_testbed.images.building import ensure_images, images_for_node
from genai_testbed.images.cache import Image, Progress
from genai_testbed.images.catalogue import names_for
from genai_testbed.images.errors import ImagesError

__all__ = ["Image", "ImagesError", "Progress", "ensure_images", "images_for_node", "names_for"]
