"""Pure statistics of the comparison: numbers in, bounds out. No I/O, no clock, fixed seeds.

Three kinds of number. Headlines hold at all looks at once and are the only ones that decide:
betting, band, running, gate_state, counts, quantiles, quantile_difference, paired, zero_loss and
drift. Labels are right for one planned look: fixed, pooled, audit, mann_whitney. Descriptions are
point estimates: design_effect, forecast. hedged, beta_binomial, finite_population and stitched are
second opinions. docs/statistics.md names formula and source of each.
"""
