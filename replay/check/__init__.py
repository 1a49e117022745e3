"""The conformance kit: runs any worker against small sites and says what it does well and badly."""
