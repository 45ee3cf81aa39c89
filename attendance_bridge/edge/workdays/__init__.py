"""Working days on an agent without a site: the engine of `core.workday` over the local ledger."""
