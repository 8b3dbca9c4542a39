#!/bin/sh
# The firmware build of v0.5.0: a configuration in, a binary out.
{ cat /controller/TAG; cat /config/layout; } > /builds/firmware
