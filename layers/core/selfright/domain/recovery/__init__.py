"""Getting back what was lost: what is asked for, the steps that do it, and what may stand in the way."""
