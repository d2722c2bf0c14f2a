"""The decision log: records of decisions (see `serving.records`), and their parameters, stored once."""
