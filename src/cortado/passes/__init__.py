"""NetSpec -> NetSpec, one file each: what makes a network fit for the planner."""
