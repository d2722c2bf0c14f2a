"""What must hold before a campaign spends money: checks by name, each with a verdict and what to do about it."""
