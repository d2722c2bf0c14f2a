"""Pictures of ads: what platforms take, crops that hold the product, small files, variants, and the pre-flight."""
