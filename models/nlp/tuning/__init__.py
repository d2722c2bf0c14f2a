"""Fine-tuning of the encoder's last layers; with torch, and imported by nothing that answers."""
