/** How the windows of a job are put together: padding costs what tokens cost, so windows of like length share a batch. */

export interface Batch {
  /** Positions in the job. */
  readonly windows: readonly number[]
  /** Of the longest window: what the others are padded to. */
  readonly length: number
}

/**
 * The windows from the longest to the shortest, cut where one more would make length * count pass `maxTokens`. A window longer than that is a batch of
 * its own. Each position is in exactly one batch.
 */
export function planBatches(lengths: readonly number[], maxTokens: number): Batch[] {
  const order = lengths
    .map((length, window) => ({ length, window }))
    .sort((a, b) => b.length - a.length)
  const batches: { windows: number[]; length: number }[] = []
  let open = { windows: [] as number[], length: 0 }
  for (const { length, window } of order) {
    const isFull = open.length * (open.windows.length + 1) > maxTokens
    if (batches.length === 0 || isFull) {
      open = { windows: [], length }
      batches.push(open)
    }
    open.windows.push(window)
  }
  return batches
}
