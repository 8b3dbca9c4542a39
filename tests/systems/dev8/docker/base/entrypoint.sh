#!/bin/sh
# Starts what the workspace needs, then what it was asked for; without that it stays until it is told to end.
trap 'exit 0' TERM INT
/usr/sbin/sshd &
workspace-supervisor &
[ $# -eq 0 ] || exec "$@"
while :; do sleep 1 & wait $!; done
