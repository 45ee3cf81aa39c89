"""What the upstreams in front of a Frappe site share: the connection, and what an answer means."""
