"""Pure statistics of the comparison: numbers in, bounds out. No I/O, no clock, no chance.

Three kinds of number: headlines hold at all looks at once (betting, counts, quantiles,
zero_loss) and are the only ones that decide; labels are right for one planned look (fixed);
descriptions are point estimates. docs/statistics.md names formula and source of each.
"""
