"""The subcommands of `adloop`, by subject. What a subcommand needs is imported inside it: `--help` answers at once."""
