#!/bin/sh
tar -cf "$SUPERVISOR_BACKUP_MOUNT_PATH/workspace.tar" /workspace
