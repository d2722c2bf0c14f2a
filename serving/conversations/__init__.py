"""The assistant of a shop: dialogues whose answers come from templates and product data, never from a generator."""
