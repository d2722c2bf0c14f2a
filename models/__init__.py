"""Model families, their contract, bundles, registry and evaluation."""
