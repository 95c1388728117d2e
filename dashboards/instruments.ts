/** How an instrument is called on the pages. */

/** The name a person knows for an instrument id; `undefined` for an unknown one. */
export type InstrumentName = (id: string) => string | undefined

export const unresolvedPrefix = 'unresolved:'

export function describeInstrument(
  id: string,
  nameOf: InstrumentName,
): { instrument: string; name: string; ticker: string } {
  const ticker = `$${id.slice(id.indexOf(':') + 1)}`
  return { instrument: id, name: nameOf(id) ?? '', ticker }
}
