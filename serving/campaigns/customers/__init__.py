"""Acting on customers: keeping those about to leave, winning those worth it, growing those who stay."""
