#!/bin/sh
# Starts what the workspace needs, then what it was asked for; ends when it is told to.
trap 'exit 0' TERM INT
/usr/sbin/sshd &
workspace-supervisor &
"$@" &
while :; do sleep 1 & wait $!; done
