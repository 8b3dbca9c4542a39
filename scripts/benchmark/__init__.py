"""The parts of scripts/bench: a fleet to build, three ways to build it, a clock, and a page of figures.

It knows Argosy only by its command line, so that what is timed is what people type.
"""
