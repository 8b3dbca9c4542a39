"""Floor 3, what is on this machine's disk: contexts, remembered digests, addresses, records of builds."""
