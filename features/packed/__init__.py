"""Online features packed into one value an entity and view: written by Feast, read by Feast or, faster, directly."""
