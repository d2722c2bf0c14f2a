"""What is known of campaigns, and the money: exact with many workers, and with one killed at any point."""
