"""A release as a transaction: all names of all images in all registries are moved, or none.

It knows digests and names, never how an image is built (content.py is the one seam) and never a screen.
"""
