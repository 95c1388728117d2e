/** How an instrument is called on the pages. */

/** An instrument as the pages call it: its name and its ticker of today, without `$`. `undefined` for an unknown one. */
export type FindInstrument = (
  id: string,
) => { readonly name: string; readonly ticker: string } | undefined

export const unresolvedPrefix = 'unresolved:'

/** An unknown one, as an unresolved cashtag, is called by the end of its id. */
export function describeInstrument(
  id: string,
  find: FindInstrument,
): { instrument: string; name: string; ticker: string } {
  const known = find(id)
  const ticker = known === undefined ? id.slice(id.indexOf(':') + 1) : known.ticker
  return { instrument: id, name: known?.name ?? '', ticker: `$${ticker}` }
}
