/** How an instrument is called on the pages. */

/** The name a person knows for an instrument id; `undefined`, or the id itself, for an unknown one. */
export type InstrumentName = (id: string) => string | undefined

export const unresolvedPrefix = 'unresolved:'

export function describeInstrument(
  id: string,
  nameOf: InstrumentName,
): { instrument: string; name: string; ticker: string } {
  const name = nameOf(id)
  const ticker = `$${id.slice(id.indexOf(':') + 1)}`
  return { instrument: id, name: name === undefined || name === id ? '' : name, ticker }
}
