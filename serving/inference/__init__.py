"""One model of a family behind the Open Inference Protocol (V2 over REST and gRPC, V1), and the log of its answers."""
