"""The tabletop world: rendered scenes with exact masks, expressions, depth and affordances."""
