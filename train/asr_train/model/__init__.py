"""The network, its front end and its configuration."""
