"""Fine-tuning of the backbone's last blocks; with torch, and imported by nothing that answers."""
