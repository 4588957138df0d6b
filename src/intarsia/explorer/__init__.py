"""The explorer: a page to look at runs in, served on this machine or written as static files."""
