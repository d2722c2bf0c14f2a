"""Serves one model of a family over the Open Inference Protocol (V2 over REST and gRPC, V1), and logs requests."""
