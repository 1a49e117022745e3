"""Who acts in a rehearsal: the shop that takes orders, the old poller, the new stack.

Each does what its script says, on real tables and a real queue, in compressed time.
"""
