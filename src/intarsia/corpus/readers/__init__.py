"""One file a format: each turns files into a `Reading`."""
