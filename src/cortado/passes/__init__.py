"""NetSpec -> NetSpec, with the weights where a pass changes them, one file each: a network fit for the planner."""
