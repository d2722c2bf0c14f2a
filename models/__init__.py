"""What is learnt: the families of models, the contract they share, their bundles, registry and evaluation."""
