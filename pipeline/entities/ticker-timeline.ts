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

/** What stood in the periods at that moment; undefined in a gap between two of them. */
export function instrumentAt(periods: readonly Period[], at: number): string | undefined {
  return periods.find(({ from, until }) => from <= at && at < until)?.instrument
}
