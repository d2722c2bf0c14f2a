"""What an intervention changes for a customer, learnt from a randomised past. No family: nothing of it is released."""
