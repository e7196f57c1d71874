"""What `watchtree bench` runs: measured workloads of both ends, this machine's limits, and the peers (README.md here)."""
