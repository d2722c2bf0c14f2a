"""What a process that goes on through faults needs to know: when to try again, whether the disk takes anything."""
