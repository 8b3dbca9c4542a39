"""Floor 2: (Project, Facts, Request) -> Plan. Pure: no process, no network, no file, no clock."""
