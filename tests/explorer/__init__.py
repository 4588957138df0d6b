"""The explorer: its data, its server, its page."""
