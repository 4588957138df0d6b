"""Tables and figures of paper B, and the figure that joins all three papers."""
