"""Setting an agent up: what is there is looked at before it is written down."""
