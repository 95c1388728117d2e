/** From when until when (exclusive) a ticker or a name stood for an instrument, in milliseconds since 1970. */
export interface Period {
  readonly instrument: string
  readonly from: number
  readonly until: number
}

/** A date 'YYYY-MM-DD' as the start of that day in UTC; an empty one leaves the period open on that side. */
export function period(instrument: string, from: string, until: string): Period {
  return {
    instrument,
    from: from === '' ? Number.NEGATIVE_INFINITY : Date.parse(from),
    until: until === '' ? Number.POSITIVE_INFINITY : Date.parse(until),
  }
}

/**
 * What a ticker stood for at that moment. People write an old ticker long after it is gone ('$TWTR' of 2023), so where
 * nobody has it, the last one that had it is meant; before its first owner it stands for nothing.
 */
export function instrumentAt(periods: readonly Period[], at: number): string | undefined {
  const current = periods.find(({ from, until }) => from <= at && at < until)
  if (current) return current.instrument
  const past = periods.filter(({ until }) => until <= at)
  return past.reduce<Period | undefined>(
    (last, next) => (last === undefined || next.until > last.until ? next : last),
    undefined,
  )?.instrument
}
