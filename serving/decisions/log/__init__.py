"""The record of decisions (see `serving.records`): what is in it, and the parameters stored once beside it."""
